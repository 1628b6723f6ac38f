"""Image processors as data: which steps there are, with which settings, and what these are by default."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from .feature_extraction_utils import BatchFeature
from .image_processing_utils import BaseImageProcessor, get_size_dict, height_and_width
from .image_transforms import (
    convert_to_rgb,
    fit_shorter_side,
    resize,
    to_channel_dimension_format,
)
from .image_utils import (
    ChannelDimension,
    get_image_size,
    infer_channel_dimension_format,
    is_pil_image,
    is_scaled_image,
    make_list_of_images,
    to_numpy_array,
    valid_images,
)
from .utils import logging
from .utils.tensors import is_torch_tensor, to_numpy

__all__ = ["ImagePipeline"]

logger = logging.get_logger(__name__)

_LAST_ARGUMENTS = ("return_tensors", "data_format", "input_data_format")
_STEPS = ("resize", "center_crop", "rescale", "normalize", "transform")


class ImagePipeline(BaseImageProcessor):
    """Base of image processors that resize, crop, rescale and normalise, each of which can be switched off.

    A subclass states its settings; from them follow its constructor and the arguments of `preprocess`, which replace
    them for one call.

    Class attributes:
        defaults: Setting -> default, in the order of the constructor's arguments.
        call_order: The settings in the order of the arguments of `preprocess`, if that is another one.
        call_inputs: Further arguments of `preprocess`, which come first.
        square_size: Whether one number as `size` is that of both sides, rather than of the shorter one.
        resize_options: Settings that `resize` takes, besides size and filter.
        resize_resample: Default filter of `resize`, if it is not that of the settings.
    """

    model_input_names: ClassVar[list[str]] = ["pixel_values"]
    defaults: ClassVar[Mapping[str, Any]] = {}
    call_order: ClassVar[str] = ""
    call_inputs: ClassVar[tuple[str, ...]] = ()
    square_size: ClassVar[bool] = True
    resize_options: ClassVar[tuple[str, ...]] = ()
    resize_resample: ClassVar[int | None] = None

    do_resize: bool
    size: dict[str, int]
    resample: int
    do_rescale: bool
    rescale_factor: float
    do_normalize: bool
    image_mean: list[float]
    image_std: list[float]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "defaults" not in vars(cls):
            return
        if "call_order" not in vars(cls):
            cls.call_order = " ".join(cls.defaults)
        if "__init__" not in vars(cls):
            cls.__init__ = _with_signature(cls.__init__, cls.defaults)  # type: ignore[method-assign]
        if "preprocess" not in vars(cls):
            options = dict.fromkeys((*cls.call_inputs, *cls.call_order.split(), *_LAST_ARGUMENTS))
            options["data_format"] = ChannelDimension.FIRST
            cls.preprocess = _with_signature(cls.preprocess, options, "images")  # type: ignore[method-assign]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Keep the settings.

        Args:
            args, kwargs: Settings; None as a size, a mean or a standard deviation means the default. Further keywords
                become attributes.
        """
        given = _bind(type(self).__name__, self.defaults, args, kwargs)
        settings = {name: given.pop(name, None) for name in self.defaults}
        for name, default in self.defaults.items():
            if settings[name] is None:
                settings[name] = copy.deepcopy(default)
        for name in ("size", "crop_size"):
            if name in settings:
                settings[name] = self.size_dict(settings[name], name)
        super().__init__(**given)
        vars(self).update(settings)

    def size_dict(self, size: Any, name: str = "size") -> dict[str, int]:
        """A size in the form in which it is kept."""
        return get_size_dict(size, default_to_square=self.square_size or name != "size", param_name=name)

    # One call

    def __call__(self, images: Any, *args: Any, **kwargs: Any) -> BatchFeature:
        """Prepare an image, or a batch of images: see `preprocess`."""
        return self.preprocess(images, *args, **kwargs)

    def preprocess(self, images: Any, *args: Any, **kwargs: Any) -> BatchFeature:
        """Prepare an image, or a batch of images.

        Args:
            images: An image of Pillow or an array, (height, width, channels) or (channels, height, width); or several,
                in a list or in one array. Bytes, or numbers from 0 to 1 if `do_rescale=False`.
            args, kwargs: Values that replace settings in this call, and:
            return_tensors: "pt", "np", "tf" or "jax"; None for a list of arrays.
            data_format: Where the channels of the result shall be.
            input_data_format: Where those of the images are; by default as the shape of the first one tells.

        Returns:
            A `BatchFeature` with `pixel_values`: (images, channels, height, width), float32.

        Raises:
            ValueError: Something is no image, or settings are missing or contradict each other.
        """
        return self.prepare(images, self._call(args, kwargs))

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SimpleNamespace:
        """The settings of one call."""
        settings = self.call_order.split()
        names = (*self.call_inputs, *settings, *_LAST_ARGUMENTS)
        given = _bind("preprocess", names, args, kwargs)
        call = SimpleNamespace(**{name: given.get(name) for name in names})
        if "data_format" not in given:
            call.data_format = ChannelDimension.FIRST
        for name in settings:
            if getattr(call, name) is None:
                setattr(call, name, getattr(self, name, None))
        for name in ("size", "crop_size"):
            if getattr(call, name, None) is not None:
                setattr(call, name, self.size_dict(getattr(call, name), name))
        return call

    def prepare(self, images: Any, call: SimpleNamespace) -> BatchFeature:
        """What `preprocess` returns."""
        pixel_values = self.pixel_values(self.arrays(images, call), call)
        return BatchFeature({"pixel_values": pixel_values}, tensor_type=call.return_tensors)

    def arrays(self, images: Any, call: SimpleNamespace) -> list[Any]:
        """The images as arrays, or as `Picture`s that become arrays; notes in `call` where their channels are.

        Raises:
            ValueError: Something is no image, or a setting is missing.
        """
        from . import _image_fused

        images = make_list_of_images(images)
        if not valid_images(images):
            raise ValueError(
                "Expected images as PIL.Image.Image, numpy.ndarray, torch.Tensor, tf.Tensor or jax.ndarray, found "
                f"{', '.join(sorted({type(image).__name__ for image in images}))}."
            )
        self.check(call)
        if getattr(call, "do_convert_rgb", False):
            images = [image if _is_rgb(image) else convert_to_rgb(image) for image in images]
        arrays: list[Any] = [
            _image_fused.Picture(image) if _is_rgb(image) else to_numpy_array(image) for image in images
        ]
        if call.do_rescale and is_scaled_image(arrays[0]):
            logger.warning_once(
                "The values of the images seem to be between 0 and 1 already. Pass `do_rescale=False`, so that they "
                "are not divided by 255 again."
            )
        if call.input_data_format is None:
            call.input_data_format = infer_channel_dimension_format(arrays[0])
        for array in arrays:
            if array.ndim != 3:
                raise ValueError(
                    f"Expected images of 3 dimensions, found one of {array.ndim}. For a grey image add an axis for the "
                    'channel, or convert it to RGB (`image.convert("RGB")` in Pillow).'
                )
        return arrays

    def check(self, call: SimpleNamespace) -> None:
        """Raise `ValueError` if a step is to be done whose settings are missing."""
        needs = {
            "do_resize": ("size", "resample"),
            "do_center_crop": ("crop_size",),
            "do_rescale": ("rescale_factor",),
            "do_normalize": ("image_mean", "image_std"),
        }
        for step, names in needs.items():
            missing = [name for name in names if getattr(call, name, None) is None]
            if getattr(call, step, False) and missing:
                raise ValueError(f"{' and '.join(missing)} must be given if {step} is true")

    # The steps

    def target_size(self, image_size: tuple[int, int], size: Mapping[str, int], **options: Any) -> tuple[int, int]:
        """(height, width) that an image of `image_size` is resized to.

        Raises:
            ValueError: `size` does not have the keys that this processor needs.
        """
        if not self.square_size and "shortest_edge" in size:
            return fit_shorter_side(image_size, size["shortest_edge"])
        return height_and_width(size)

    def resize(
        self,
        image: np.ndarray,
        size: dict[str, int],
        resample: int | None = None,
        data_format: ChannelDimension | str | None = None,
        input_data_format: ChannelDimension | str | None = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """The image in another size.

        Args:
            image: The image.
            size: As in the settings.
            resample: Filter of Pillow; by default that of the class.
            data_format: Where the channels shall be; by default where they are.
            input_data_format: Where the channels are; by default as the shape tells.
            kwargs: The settings in `resize_options`, and arguments of `image_transforms.resize`.
        """
        options = {name: kwargs.pop(name) for name in self.resize_options if name in kwargs}
        target = self.target_size(get_image_size(image, input_data_format), self.size_dict(size), **options)
        if resample is None:
            resample = self.defaults["resample"] if self.resize_resample is None else self.resize_resample
        return resize(image, target, resample, data_format=data_format, input_data_format=input_data_format, **kwargs)

    def resize_settings(self, call: SimpleNamespace) -> dict[str, Any]:
        """What a call passes on to `resize`, besides size and filter."""
        return {name: getattr(call, name) for name in self.resize_options}

    def transform(self, image: np.ndarray, call: SimpleNamespace) -> np.ndarray:
        """All steps for one image."""
        channels = {"input_data_format": call.input_data_format}
        if call.do_resize:
            options = self.resize_settings(call)
            image = self.resize(image=image, size=call.size, resample=call.resample, **options, **channels)
        if getattr(call, "do_center_crop", False):
            image = self.center_crop(image=image, size=call.crop_size, **channels)
        if call.do_rescale:
            image = self.rescale(image=image, scale=call.rescale_factor, **channels)
        if call.do_normalize:
            image = self.normalize(image=image, mean=call.image_mean, std=call.image_std, **channels)
        return image

    def plan(self, image_size: tuple[int, int], call: SimpleNamespace) -> Any:
        """What `transform` does to the size of an image; None for what `_image_fused` cannot do."""
        from ._image_fused import Plan

        target = image_size
        if call.do_resize:
            target = self.target_size(image_size, call.size, **self.resize_settings(call))
        return Plan(target, height_and_width(call.crop_size) if getattr(call, "do_center_crop", False) else None)

    # All steps for all images

    def pixel_values(self, images: list[Any], call: SimpleNamespace) -> Any:
        """The prepared images: one batch, as a tensor, or a list of arrays."""
        prepared = self.fused(images, call)
        if prepared is None:
            prepared = [self.transform(as_array(image), call) for image in images]
            place = (call.data_format, call.input_data_format)
            prepared = [to_channel_dimension_format(image, *place) for image in prepared]
        if call.return_tensors is not None and len({image.shape for image in prepared}) > 1:
            shapes = sorted({tuple(image.shape) for image in prepared})
            raise ValueError(
                f"The prepared images have different shapes ({', '.join(map(str, shapes))}), which are no batch. "
                "Resize or crop them to one size, or pass return_tensors=None for a list."
            )
        return self.as_returned(prepared, call)

    def as_returned(self, images: Any, call: SimpleNamespace) -> Any:
        """Images for a `BatchFeature`: a tensor only where tensors are wanted, else a list of arrays."""
        if call.return_tensors == "pt" and is_torch_tensor(images):
            return images
        return [to_numpy(image) for image in images]

    def fused(self, images: list[Any], call: SimpleNamespace, pad: bool = False) -> Any:
        """All steps at once in PyTorch, where images are bytes and the steps those of isoform; None elsewhere."""
        from . import _image_fused

        last = call.input_data_format == ChannelDimension.LAST
        channels = {image.shape[-1 if last else 0] if image.ndim == 3 else 0 for image in images}
        if channels not in ({1}, {3}) or any(image.dtype != np.uint8 or not image.size for image in images):
            return None
        if call.do_resize and not _image_fused.can_resize(call.resample):
            return None
        if not all(_is_ours(getattr(type(self), step)) for step in _STEPS):
            return None
        factors = _factors(call, channels.pop())
        plans = [self.plan(get_image_size(image, call.input_data_format), call) for image in images]
        if factors is None or any(plan is None or min(*plan.size, *plan.result) < 1 for plan in plans):
            return None
        return _image_fused.transform(
            images,
            plans,
            resample=call.resample,
            factors=factors,
            channels_last=last,
            result_channels_last=ChannelDimension(call.data_format) == ChannelDimension.LAST,
            pad=pad,
        )


def as_array(image: Any) -> np.ndarray:
    """One of the `arrays` of a call as a real one."""
    return image if isinstance(image, np.ndarray) else image.array()


def _is_rgb(image: Any) -> bool:
    return is_pil_image(image) and image.mode == "RGB"


def _is_ours(method: Any) -> bool:
    """Whether a step is done by a method of isoform, which `_image_fused` stands in for, and not by a user's."""
    return method.__module__.partition(".")[0] == __name__.partition(".")[0]


def _factors(call: SimpleNamespace, channels: int) -> list[tuple[float, float]] | None:
    """(factor, summand) of each channel for rescaling and normalising; empty for neither, None if it cannot be done."""
    scale = call.rescale_factor if call.do_rescale else 1.0
    if not call.do_normalize:
        return [(scale, 0.0)] * channels if call.do_rescale else []
    mean, std = (
        list(values) if isinstance(values, Iterable) else [values] * channels
        for values in (call.image_mean, call.image_std)
    )
    if len(mean) != channels or len(std) != channels or 0 in std:
        return None
    return [(scale / s, -m / s) for m, s in zip(mean, std)]


def _bind(name: str, names: Iterable[str], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Positional arguments by their names, joined with the keyword arguments."""
    names = tuple(names)
    if len(args) > len(names):
        raise TypeError(f"{name} takes at most {len(names)} positional arguments, {len(args)} were given")
    given = dict(zip(names, args))
    for twice in given.keys() & kwargs.keys():
        raise TypeError(f"{name} got multiple values for argument '{twice}'")
    return given | dict(kwargs)


def _with_signature(function: Callable[..., Any], options: Mapping[str, Any], *first: str) -> Callable[..., Any]:
    """The method with a signature that shows its options."""

    @functools.wraps(function)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in ("self", *first)]
    parameters += [inspect.Parameter(name, kind, default=default) for name, default in options.items()]
    parameters.append(inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD))
    method.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return method
