"""The identity of Denton, Parke, Tao & Zhang (2019) against numpy's eigenvectors."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.eigenvectors import MAX_BY_IDENTITY, principal_loadings, squared_components


def hermitian(size: int, seed: int, *, complex_: bool) -> np.ndarray:
    draws = np.random.default_rng(seed)
    a = draws.normal(size=(size, size)) + (1j * draws.normal(size=(size, size)) if complex_ else 0.0)
    return a + a.conj().T


def unitary(size: int, seed: int, *, complex_: bool) -> np.ndarray:
    return np.linalg.eigh(hermitian(size, seed, complex_=complex_))[1]


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("size", [1, 2, 3, 8, 30])
def test_squares_are_those_of_eigh(size: int, complex_: bool):
    matrix = hermitian(size, size, complex_=complex_)
    values, squares = squared_components(matrix)
    expected_values, vectors = np.linalg.eigh(matrix)
    np.testing.assert_allclose(values, expected_values, atol=1e-10)
    np.testing.assert_allclose(squares, (np.abs(vectors) ** 2).T, atol=1e-8)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize(
    "spectrum", [[1, 1, 2, 5], [0, 3, 3, 3], [-1, -1, 4, 4, 4, 9], [2, 2, 2], [0, 1e-3, 1, 1000]], ids=str
)
def test_equal_eigenvalues_share_the_projector_onto_their_space(spectrum: list[float], complex_: bool):
    """The projector does not depend on the basis that eigh happens to choose."""
    basis = unitary(len(spectrum), 7, complex_=complex_)
    matrix = (basis * np.array(spectrum)) @ basis.conj().T
    _, squares = squared_components(matrix)
    for value in set(spectrum):
        same = [i for i, other in enumerate(spectrum) if other == value]
        projector = (np.abs(basis[:, same]) ** 2).sum(axis=1)
        for i in same:
            np.testing.assert_allclose(squares[i], projector / len(same), atol=1e-6)


def test_rows_and_columns_sum_to_one_even_where_eigenvalues_nearly_meet():
    draws = np.random.default_rng(1)
    for size in (5, 20):
        basis = unitary(size, 3, complex_=True)
        spectrum = np.sort(draws.normal(size=size))
        spectrum[1] = spectrum[0] + 1e-5
        _, squares = squared_components((basis * spectrum) @ basis.conj().T)
        np.testing.assert_allclose(squares.sum(axis=0), 1.0, atol=1e-4)
        np.testing.assert_allclose(squares.sum(axis=1), 1.0, atol=1e-4)


def test_a_diagonal_matrix_has_its_axes():
    _, squares = squared_components(np.diag([3.0, 1.0, 2.0]))
    np.testing.assert_allclose(squares, [[0, 1, 0], [0, 0, 1], [1, 0, 0]], atol=1e-12)


def test_a_multiple_of_the_identity_prefers_nothing():
    _, squares = squared_components(4.0 * np.eye(5))
    np.testing.assert_allclose(squares, 0.2)


def test_products_of_hundreds_of_factors_neither_overflow_nor_vanish():
    matrix = 1e6 * hermitian(120, 0, complex_=False)
    _, squares = squared_components(matrix)
    np.testing.assert_allclose(squares, (np.linalg.eigh(matrix)[1] ** 2).T, atol=1e-7)


@pytest.mark.parametrize("bad", [np.ones((2, 3)), np.ones(3), np.array([[np.nan]])], ids=["oblong", "flat", "nan"])
def test_what_is_no_matrix_is_refused(bad: np.ndarray):
    with pytest.raises(ValueError, match="square"):
        squared_components(bad)


@pytest.mark.parametrize("dim", [6, MAX_BY_IDENTITY + 6])
def test_loadings_find_the_dimensions_a_direction_was_made_of(dim: int):
    """Codes vary most along (e1 + e4) / sqrt 2, then along e2; elsewhere there is a little noise."""
    draws = np.random.default_rng(0)
    codes = 0.1 * draws.normal(size=(4000, dim))
    codes[:, [1, 4]] += 5.0 * draws.normal(size=(4000, 1))
    codes[:, 2] += 2.0 * draws.normal(size=4000)
    loadings = principal_loadings(codes)
    np.testing.assert_allclose(loadings.share_DD[0, [1, 4]], 0.5, atol=0.01)
    assert loadings.share_DD[1, 2] > 0.99
    np.testing.assert_allclose(loadings.variance_D[:2], [50.0, 4.0], rtol=0.06)
    np.testing.assert_allclose(loadings.variance_D.sum(), codes.var(axis=0, ddof=1).sum())
    np.testing.assert_allclose(loadings.share_DD.sum(axis=1), 1.0, atol=1e-6)


def test_one_dimension_is_all_there_is():
    loadings = principal_loadings(np.array([[1.0], [3.0]]))
    assert loadings.variance_D.tolist() == [2.0]
    assert loadings.share_DD.tolist() == [[1.0]]
