"""The steps of a drill, one module for each group of promises."""
