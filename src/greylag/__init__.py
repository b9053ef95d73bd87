"""greylag: background coding agents for fleets of repositories, with a gate that tells the truth.

Start to read in `greylag.pipeline`: it is the whole line from a prompt to a pull request.
"""

__version__ = "0.1.0.dev0"
