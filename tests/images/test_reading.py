"""Images from anywhere, and what may be told of them."""

from __future__ import annotations

import base64
import http.server
import io
import threading
from pathlib import Path

import numpy as np
import pytest

PIL_Image = pytest.importorskip("PIL.Image")

from isoform.image_transforms import center_crop, id_to_rgb, pad, resize, rgb_to_id  # noqa: E402
from isoform.image_utils import (  # noqa: E402
    ChannelDimension,
    ImageFeatureExtractionMixin,
    infer_channel_dimension_format,
    load_image,
    make_list_of_images,
)

from .cases import picture  # noqa: E402

PIXELS = picture(12, 17)


def png(array: np.ndarray = PIXELS) -> bytes:
    buffer = io.BytesIO()
    PIL_Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/image" else 404)
        self.end_headers()
        self.wfile.write(png())

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def address() -> object:
    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_sources(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(png())
    encoded = base64.b64encode(png()).decode()
    image = PIL_Image.fromarray(PIXELS)
    chopped = "\n".join(encoded[start : start + 76] for start in range(0, len(encoded), 76))
    sources = (
        str(path),
        path,
        png(),
        bytearray(png()),
        io.BytesIO(png()),
        encoded,
        chopped,
        f"data:image/png;base64,{encoded}",
        image,
        PIXELS,
        PIXELS.transpose(2, 0, 1),
        (PIXELS / 255).astype(np.float64),
    )
    for source in sources:
        loaded = load_image(source)
        assert loaded.mode == "RGB"
        assert np.abs(np.asarray(loaded).astype(int) - PIXELS).max() <= 1  # 0 … 1 is rounded down


def test_grey_and_alpha() -> None:
    grey = PIXELS[..., 0]
    assert np.array_equal(np.asarray(load_image(grey))[..., 2], grey)
    assert np.asarray(load_image(np.dstack([PIXELS, grey]))).shape == PIXELS.shape
    assert load_image(PIL_Image.fromarray(grey)).mode == "RGB"


def test_turned_photograph() -> None:
    """A camera held on its side notes so in the file."""
    image = PIL_Image.fromarray(PIXELS)
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned right
    buffer = io.BytesIO()
    image.save(buffer, "PNG", exif=exif)
    assert np.array_equal(np.asarray(load_image(buffer.getvalue())), np.rot90(PIXELS, -1))


def test_address(address: str) -> None:
    assert np.array_equal(np.asarray(load_image(f"{address}/image", timeout=5)), PIXELS)
    with pytest.raises(OSError):
        load_image(f"{address}/nothing")


@pytest.mark.parametrize(
    "source", ["/no/such/file.png", "no base64!", "data:image/png;base64,AAAA", 3, None, ["a.png"]]
)
def test_no_image(source: object) -> None:
    with pytest.raises(ValueError, match="image"):
        load_image(source)


def test_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(b"not a picture")
    with pytest.raises(OSError):
        load_image(path)


def test_where_channels_are() -> None:
    assert infer_channel_dimension_format(np.zeros((3, 8, 9))) == ChannelDimension.FIRST
    assert infer_channel_dimension_format(np.zeros((2, 8, 9, 1))) == ChannelDimension.LAST
    assert infer_channel_dimension_format(np.zeros((8, 9, 4)), num_channels=4) == ChannelDimension.LAST
    with pytest.raises(ValueError, match=r"\(8, 9, 4\).*input_data_format"):
        infer_channel_dimension_format(np.zeros((8, 9, 4)))
    with pytest.raises(ValueError, match="grey"):
        infer_channel_dimension_format(np.zeros((8, 9)))


def test_lists() -> None:
    assert len(make_list_of_images(np.zeros((2, 3, 8, 9)))) == 2
    assert len(make_list_of_images(np.zeros((3, 8, 9)))) == 1
    assert len(make_list_of_images(np.zeros((5, 8, 9)), expected_ndims=2)) == 5
    with pytest.raises(ValueError, match="found 2"):
        make_list_of_images(np.zeros((8, 9)))
    with pytest.raises(ValueError, match="found str"):
        make_list_of_images("photo.jpg")


def test_transforms() -> None:
    assert np.array_equal(center_crop(PIXELS, (4, 5)), PIXELS[4:8, 6:11])
    padded = center_crop(PIXELS, (16, 5))
    assert padded.shape == (16, 5, 3) and not padded[:2].any() and np.array_equal(padded[2:14], PIXELS[:, 6:11])
    expected = np.asarray(PIL_Image.fromarray(PIXELS).resize((6, 5), PIL_Image.Resampling.BICUBIC))
    assert np.array_equal(resize(PIXELS, (5, 6), resample=3), expected)
    scaled = resize((PIXELS / 255).astype(np.float32), (5, 6), resample=3, data_format="channels_first")
    assert scaled.shape == (3, 5, 6) and scaled.dtype == np.float32 and scaled.min() >= 0 and scaled.max() <= 1
    assert np.array_equal(
        pad(PIXELS, ((1, 2), (3, 4)), mode="replicate"), np.pad(PIXELS, ((1, 2), (3, 4), (0, 0)), "edge")
    )
    ids = np.array([[0, 255, 256], [65_536, 70_000, 2**24 - 1]])
    assert np.array_equal(rgb_to_id(id_to_rgb(ids)), ids) and id_to_rgb(70_000) == [112, 17, 1]
    with pytest.raises(ValueError, match=r"\[0\.0, 510\.0\]"):
        resize(np.linspace(0, 510, 60).reshape(4, 5, 3), (2, 2))


def test_old_mixin() -> None:
    mixin = ImageFeatureExtractionMixin()
    image = PIL_Image.fromarray(PIXELS)
    assert mixin.to_numpy_array(image).shape == (3, 12, 17) and mixin.to_numpy_array(image).max() <= 1
    assert mixin.resize(image, 6, default_to_square=False).size == (8, 6)
    assert mixin.resize(image, 6, default_to_square=False, max_size=7).size == (7, 5)
    assert mixin.center_crop(image, 4).size == (4, 4) and mixin.center_crop(PIXELS, (20, 3)).shape == (3, 20, 3)
    normal = mixin.normalize(image, [0.5] * 3, [0.5] * 3)
    assert np.allclose(normal, (PIXELS.transpose(2, 0, 1) / 255 - 0.5) / 0.5, atol=1e-6)
    assert np.array_equal(mixin.flip_channel_order(PIXELS.transpose(2, 0, 1)), PIXELS.transpose(2, 0, 1)[::-1])
    with pytest.raises(ValueError, match="max_size=6"):
        mixin.resize(image, 6, default_to_square=False, max_size=6)
    with pytest.raises(ValueError, match="list"):
        mixin.to_pil_image([1])
