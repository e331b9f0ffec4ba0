"""The command line `tfgan-zoo`: everything the zoo does, without a script.

It answers without TensorFlow wherever it can; a command that needs the zoo imports it when it runs.

__main__.py    what `python -m tfgan_zoo` and the console script call
commands.py    the commands
entries.py     names and words of the zoo's entries, read from their source
recipes.py     the recipes, in a clone or installed
saying.py      sentences, JSON and tables on the terminal; bad input in a sentence and status 2
pictures.py    images as a PNG, without the zoo
"""
