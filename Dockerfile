# Its ONBUILD steps install packages.txt and requirements.txt, then copy the project.
# The suffix matters: Runtime's own Python is newer than what astro-sdk's pandas has wheels for.
FROM astrocrpublic.azurecr.io/runtime:3.3-8-python-3.12
