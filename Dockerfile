# The ONBUILD steps of this image install packages.txt and requirements.txt, and copy the project.
# Keep the suffix -python-3.12: the default Python of Runtime is newer, and the pandas that astro-sdk
# needs has no wheels for it.
FROM astrocrpublic.azurecr.io/runtime:3.3-8-python-3.12
