"""An artefact becomes a stack: through a change set that does what was reviewed. Nothing here prints.

target       what is to be deployed: the committed files of an environment, as calls need them
stacks       how a stack is, and what may be done to it in that state
changesets   made, awaited, described completely
comparing    what AWS will do, beside what the review says
plans        what was agreed to, in a file
executing    a change set runs until the stack rests
events       what CloudFormation says of the stack's resources
"""
