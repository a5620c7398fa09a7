import numpy as np
import pytest

from backbeat.codecs.controls import COLUMNS, HITS_PER_QUARTER, MEAN_VELOCITY, Controls, density_of, intensity_of, velocity_of

NAN = float("nan")


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_what_is_not_said_is_not_zero() -> None:
    controls = Controls(floats(0, NAN, 1), floats(NAN, 0.5, NAN), floats(1, 0, NAN))
    assert controls.encode().tolist() == [[0, 255, 0, 0, 255, 255], [0, 0, 128, 255, 0, 255], [255, 255, 0, 0, 0, 0]]
    assert not Controls.nothing(4).encode().any()
    assert Controls.nothing(4).encode().shape == (4, COLUMNS)


@pytest.mark.parametrize("values", [(floats(1.1), floats(0), floats(0)), (floats(0), floats(-0.1), floats(0)), (floats(0, 0), floats(0), floats(0))])
def test_what_is_no_control_is_refused(values: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(ValueError, match="controls"):
        Controls(*values)


def test_levels_are_deciles_both_ways() -> None:
    assert density_of(np.array(HITS_PER_QUARTER)) == pytest.approx(np.linspace(0, 1, 11))
    assert density_of(np.array([99.0]))[0] == 1
    assert velocity_of(intensity_of(np.array(MEAN_VELOCITY))) == pytest.approx(np.array(MEAN_VELOCITY), abs=1e-3)
