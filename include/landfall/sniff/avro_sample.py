"""The sample of an Avro file up to its last whole block."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from include.landfall.errors import TruncatedFile
from include.landfall.read.formats.avro_container import Container
from include.landfall.sniff.sample import Sample


def whole_blocks(sample: Sample) -> Sample:
    """Returns the sample without the block that is cut off.

    Raises: TruncatedFile when the header is not whole, DataError when a block is too large.
    """
    if sample.is_whole:
        return sample
    stream = BytesIO(sample.data)
    blocks = Container(stream).blocks()
    end = stream.tell()
    try:
        for _ in blocks:
            end = stream.tell()
    except TruncatedFile:
        pass
    return replace(sample, data=sample.data[:end])
