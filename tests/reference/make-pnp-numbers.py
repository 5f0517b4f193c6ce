#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes pnp-numbers.h: how near OpenCV's solvePnP comes on 1,000 random cases.

The cases are made from a hash of their number, here and in tests/unit/test-pose.c alike: points in a
plane, on a shallow dome (as on the cortex), in a ball, and few of them; the first 500 with noise of
2 px, the others exact. Kept is the least root mean square reprojection error of all of OpenCV's ways,
each refined by solvePnPRefineLM. Made with OpenCV 4.6.0 of Debian 12.

    python3 make-pnp-numbers.py > pnp-numbers.h
"""
import numpy as np
import cv2

MASK = (1 << 64) - 1
N_CASES = 1000


def splitmix(key):
    key = (key + 0x9E3779B97F4A7C15) & MASK
    key = ((key ^ (key >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    key = ((key ^ (key >> 27)) * 0x94D049BB133111EB) & MASK
    return key ^ (key >> 31)


class Stream:
    """Numbers in [-1, 1)."""

    def __init__(self, seed):
        self.key, self.n = splitmix(seed), 0

    def uniform(self):
        value = splitmix((self.key + self.n) & MASK) >> 11
        self.n += 1
        return value * 2.0 ** -52 - 1.0

    def normal(self):
        return sum(self.uniform() for _ in range(6)) / np.sqrt(2.0)


def make_case(number):
    s = Stream(number)
    kind = number % 4
    n = 4 + int(np.floor((s.uniform() + 1.0) * (1.0 if kind == 3 else 8.0)))
    q = np.array([s.normal() for _ in range(4)])
    q /= np.sqrt(np.dot(q, q))
    w, x, y, z = q
    r = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]])
    t = np.array([20.0 * s.uniform(), 20.0 * s.uniform(), 450.0 + 150.0 * s.uniform()])
    f = 1800.0 + 700.0 * s.uniform()
    k = np.array([[f, 0, 639.5 + 20.0 * s.uniform()],
                  [0, f * (1.0 + 0.02 * s.uniform()), 479.5 + 20.0 * s.uniform()], [0, 0, 1]])
    d = np.zeros(5)
    if number % 3 != 0:
        d = np.array([0.15 * s.uniform(), 0.2 * s.uniform(), 0.002 * s.uniform(),
                      0.002 * s.uniform(), 0.1 * s.uniform()])
    points = np.zeros((n, 3))
    for i in range(n):
        a, b, c = 35.0 * s.uniform(), 35.0 * s.uniform(), 35.0 * s.uniform()
        if kind == 0:
            c = 0.0
        elif kind == 1:
            c = c * 0.03 + (a * a + b * b) / 160.0
        points[i] = a, b, c
    camera = points @ r.T + t
    px, _ = cv2.projectPoints(points, cv2.Rodrigues(r)[0], t, k, d)
    assert camera[:, 2].min() > 100
    px = px.reshape(-1, 2)
    sigma = 2.0 if number < 500 else 0.0
    for i in range(n):
        px[i, 0] += sigma * s.normal()
        px[i, 1] += sigma * s.normal()
    return points, px, k, d


def rms(points, px, k, d, rvec, tvec):
    if (cv2.Rodrigues(rvec)[0] @ points.T + tvec.reshape(3, 1))[2].min() <= 0:
        return np.inf
    seen, _ = cv2.projectPoints(points, rvec, tvec, k, d)
    return np.sqrt(np.mean(np.sum((seen.reshape(-1, 2) - px) ** 2, axis=1)))


def best_of_opencv(points, px, k, d):
    best = np.inf
    ways = [cv2.SOLVEPNP_SQPNP, cv2.SOLVEPNP_EPNP, cv2.SOLVEPNP_ITERATIVE]
    if np.ptp(points[:, 2]) == 0:
        ways.append(cv2.SOLVEPNP_IPPE)
    for way in ways:
        try:
            ok, rvecs, tvecs, _ = cv2.solvePnPGeneric(points, px, k, d, flags=way)
        except cv2.error:
            continue
        for rvec, tvec in zip(rvecs, tvecs):
            best = min(best, rms(points, px, k, d, rvec, tvec))
            rvec, tvec = cv2.solvePnPRefineLM(
                points, px, k, d, rvec.copy(), tvec.copy(),
                (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 100, 1e-12))
            best = min(best, rms(points, px, k, d, rvec, tvec))
    return best


def main():
    numbers = [best_of_opencv(*make_case(c)) for c in range(N_CASES)]
    points, px, _, _ = make_case(17)
    print("// SPDX-License-Identifier: Apache-2.0")
    print("// Written by make-pnp-numbers.py: least rms reprojection error in px of OpenCV %s's ways."
          % cv2.__version__)
    print("// clang-format off")
    print("static const double pnp_case_17[5] = { %.9f, %.9f, %.9f, %.9f, %.9f };"
          % (*points[0], *px[0]))
    print("static const float pnp_opencv_rms_px[%d] = {" % N_CASES)
    for start in range(0, N_CASES, 10):
        print("    " + " ".join("%.6gf," % v if "." in "%.6g" % v or "e" in "%.6g" % v else "%.1ff," % v
                                for v in numbers[start:start + 10]))
    print("};")


if __name__ == "__main__":
    main()
