"""The box's own image: the programs that the node runs, so that the host needs none of them."""

from __future__ import annotations

from embedded.images.model import ImageConfig
from embedded.images.recipe import BASE_PRUNE, Recipe

NFT = "/usr/sbin/nft"
TOOLS = Recipe(
    name="tools",
    # netbase has the names of protocols.
    packages=("netbase", "nftables"),
    # Character sets are half of the size.
    prune=(*BASE_PRUNE, "usr/lib/*/gconv"),
    links=(),
    config=ImageConfig(uid=0, gid=0),
)
