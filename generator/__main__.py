"""`python -m generator` is `cloakform`."""

from generator.cli import main

if __name__ == "__main__":
    main()
