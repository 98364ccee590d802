"""Logistic regression by iteratively reweighted least squares, with cluster-robust errors.

Errors: Liang & Zeger 1986 with the usual correction G/(G−1) · (N−1)/(N−K); the same as statsmodels' GLM with `cov_type="cluster"`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS, ENOUGH = 50, 1e-10


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients with their covariance, and the fitted probabilities."""

    beta: Floats
    covariance: Floats
    fitted: Floats


class NoFit(ValueError):  # noqa: N818 - says what is the case
    """The likelihood has no maximum (one column parts the outcomes), or columns depend on each other."""


def fit(columns: Floats, outcome: Sequence[float] | Floats, clusters: Sequence[str] | None = None, *, weights: Floats | None = None, ridge: float = 0.0) -> Fit:
    """Fit P(outcome = 1) on the columns; an intercept is a column of ones.

    :param clusters: who each row belongs to; None = every row stands for itself.
    :param ridge: penalty on all coefficients but the first; keeps weights for answering finite where a cell has none who answered.
    :raises NoFit: when there is no solution.
    """
    y = np.asarray(outcome, dtype=float)
    w = np.ones(len(y)) if weights is None else weights
    penalty = np.diag([0.0, *([ridge] * (columns.shape[1] - 1))])
    beta = np.zeros(columns.shape[1])
    for _ in range(STEPS):
        p = _probability(columns @ beta)
        hessian = columns.T @ (columns * (w * p * (1 - p))[:, None]) + penalty
        try:
            step = np.linalg.solve(hessian, columns.T @ (w * (y - p)) - penalty @ beta)
        except np.linalg.LinAlgError as error:
            raise NoFit("columns depend on each other") from error
        beta = beta + step
        if float(np.abs(step).max()) < ENOUGH:
            break
    else:
        raise NoFit("one column parts the outcomes")
    # Where a column parts them the steps may shrink below the bound just before the curvature vanishes.
    if not np.isfinite(beta).all() or (float(np.abs(beta).max()) > 25 and not ridge):
        raise NoFit("one column parts the outcomes")
    p = _probability(columns @ beta)
    bread = np.linalg.inv(columns.T @ (columns * (w * p * (1 - p))[:, None]) + penalty)
    scores = columns * (w * (y - p))[:, None]
    which = np.arange(len(y)) if clusters is None else np.unique(np.asarray(clusters), return_inverse=True)[1]
    sums = np.zeros((int(which.max()) + 1, columns.shape[1]))
    np.add.at(sums, which, scores)
    groups, rows, k = len(sums), len(y), columns.shape[1]
    factor = groups / max(1, groups - 1) * (rows - 1) / max(1, rows - k)
    return Fit(beta, factor * bread @ (sums.T @ sums) @ bread, p)


def _probability(linear: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(linear, -35, 35))), dtype=float)
