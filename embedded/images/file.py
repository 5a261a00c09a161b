"""Image tables in files, YAML or JSON; `embedded/README.md` describes the format."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from embedded.images.model import ImageConfig
from embedded.images.recipe import (
    BASE_LINKS,
    BASE_PACKAGES,
    BASE_PATH,
    BASE_PRUNE,
    Account,
    File,
    Layer,
    Recipe,
)
from embedded.images.table import ImageSource, RecipeTable


class ImageFileError(Exception):
    """A file of images cannot be used; the text is one line: file, place in it, what is wrong."""


def load(file: Path) -> RecipeTable:
    """Read an image table; files that it names are sought from its own directory.

    The table is the same for each Debian release. Raises ImageFileError.
    """
    try:
        document = _Document.model_validate(yaml.safe_load(file.read_text()))
        sources = tuple(_sources(document, file.parent))
    except OSError as error:
        raise ImageFileError(f"{file}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ImageFileError(f"{file}: {_place_in_yaml(error)}") from error
    except ValidationError as error:
        raise ImageFileError(f"{file}: {_first(error)}") from error
    except ValueError as error:
        raise ImageFileError(f"{file}: {error}") from error
    return lambda _: sources


def _matching(pattern: str, wanted: str) -> AfterValidator:
    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(f"{text!r} is not {wanted}")
        return text

    return AfterValidator(check)


def _inside(text: str) -> str:
    if not text.startswith("/") or text != posixpath.normpath(text) or text.startswith("//"):
        raise ValueError(f"{text!r} is not an absolute path in the image")
    return text


_Name = Annotated[
    str, _matching(r"[a-z0-9][a-z0-9._-]*", "a name: lower-case letters, digits, '.', '_' and '-'")
]
_Package = Annotated[str, _matching(r"[a-z0-9][a-z0-9+.-]+", "the name of a Debian package")]
_Pruned = Annotated[
    str,
    _matching(r"(?!/)(?!(.*/)?\.\.(/|$)).+", "a shell pattern relative to the image's root"),
]
_Inside = Annotated[str, AfterValidator(_inside)]
_Uid = Annotated[int, Field(ge=0, lt=2**31)]
_Command = Annotated[tuple[str, ...], Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Defaults(_Model):
    """Defaults of a container, as far as they are given."""

    uid: _Uid = 0
    gid: _Uid | None = None
    env: dict[str, str] = Field(default_factory=dict)
    cwd: _Inside = "/"
    command: tuple[str, ...] = ()

    def over(self, config: ImageConfig) -> ImageConfig:
        """Return `config` with what is given here in its place."""
        given: dict[str, Any] = {name: getattr(self, name) for name in self._given()}
        if "uid" in given:
            given.setdefault("gid", given["uid"])
        if "env" in given:
            given["env"] = {**config.env, **given["env"]}
        return replace(config, **given)

    def _given(self) -> set[str]:
        return self.model_fields_set & _Defaults.model_fields.keys()


class _Account(_Model):
    name: _Name
    uid: _Uid
    home: _Inside = "/"


class _Recipe(_Defaults):
    packages: tuple[_Package, ...] = ()
    accounts: tuple[_Account, ...] = ()
    directories: tuple[_Inside, ...] = ()
    links: dict[_Inside, str] = Field(default_factory=dict)
    files: dict[_Inside, Path] = Field(default_factory=dict)
    prune: tuple[_Pruned, ...] = ()
    commands: tuple[_Command, ...] = ()
    versions: tuple[_Command, ...] = ()

    def recipe(self, name: str, here: Path, more_directories: tuple[str, ...]) -> Recipe:
        """Return it as the builder takes it. Raises ValueError for a file that is not there."""
        config = ImageConfig(uid=0, gid=0, env={"PATH": BASE_PATH, "LANG": "C.UTF-8"})
        return Recipe(
            name=name,
            packages=(*BASE_PACKAGES, *self.packages),
            config=self.over(config),
            accounts=tuple(Account(name=a.name, uid=a.uid, home=a.home) for a in self.accounts),
            prune=(*BASE_PRUNE, *self.prune),
            directories=(*self.directories, *more_directories),
            links=(*BASE_LINKS, *self.links.items()),
            files=tuple(_file(target, here / path) for target, path in self.files.items()),
            commands=self.commands,
            versions=self.versions,
        )


class _Layer(_Model):
    directory: _Inside
    source: Path
    commands: tuple[_Command, ...] = ()

    def layer(self, name: str, here: Path) -> Layer:
        """Return it as the builder takes it. Raises ValueError for a source that is not there."""
        top = here / self.source
        if not top.is_dir():
            raise ValueError(f"layer: {top} is not a directory")
        files = sorted(path for path in top.rglob("*") if path.is_file())
        return Layer(
            name=f"{name}-layer",
            directory=self.directory,
            files=tuple((str(path.relative_to(top)), path) for path in files),
            commands=self.commands,
        )


class _Image(_Defaults):
    recipe: str
    layer: _Layer | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"recipe": value} if isinstance(value, str) else value


class _Document(_Model):
    recipes: dict[_Name, _Recipe]
    images: dict[str, _Image]


def _sources(document: _Document, here: Path) -> Iterator[ImageSource]:
    made: dict[str, Recipe] = {}
    for name, described in document.recipes.items():
        layers = [i.layer for i in document.images.values() if i.recipe == name and i.layer]
        try:
            made[name] = described.recipe(name, here, tuple(layer.directory for layer in layers))
        except ValueError as error:
            raise ValueError(f"recipes.{name}.{error}") from error
    for pattern, image in document.images.items():
        recipe = made.get(image.recipe)
        if recipe is None:
            known = ", ".join(made) or "none"
            raise ValueError(f"images.{pattern}: no recipe {image.recipe!r}; there are: {known}")
        try:
            layer = image.layer.layer(recipe.name, here) if image.layer else None
        except ValueError as error:
            raise ValueError(f"images.{pattern}.{error}") from error
        config = image.over(recipe.config)
        yield ImageSource(patterns=(pattern,), recipe=recipe, layer=layer, config=config)


def _file(target: str, source: Path) -> File:
    if not source.is_file():
        raise ValueError(f"files.{target}: {source} is not a file")
    return File(target=target, source=source, mode=0o755 if os.access(source, os.X_OK) else 0o644)


def _place_in_yaml(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    text = first["msg"].removeprefix("Value error, ")
    return f"{place}: {text}" if place else text
