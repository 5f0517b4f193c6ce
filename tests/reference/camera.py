# SPDX-License-Identifier: Apache-2.0
# Prints the table of tests/unit/test-camera.c: where views project points, by OpenCV (4.6).
# The view is turned into a rotation here by scipy, apart from the code under test.
import cv2
import numpy as np
from scipy.spatial.transform import Rotation

centre = np.array([12.0, -30.0, 44.0])
radius, width, height = 100.0, 641, 480
points = {
    "left": [50, 0, 0], "anterior": [0, -50, 0], "superior": [0, 0, 50], "mixed": [31, -22, 17],
}
for elev, azim, roll, zoom in [(0, 0, 0, 1), (0, 90, 0, 1), (90, 0, 0, 1), (30, 40, 0, 1.5),
                               (-20, 200, 35, 0.7)]:
    # Camera axes (columns: right, down, forwards) at 0, 0, 0 in LPS: left, inferior, posterior.
    axes = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float)
    # Superior is z: turning the camera to the patient's left is a right-handed turn about z.
    turn = Rotation.from_rotvec([0, 0, np.radians(azim)]).as_matrix()
    axes = turn @ axes
    # Raising the camera: right-handed about minus its right axis.
    axes = Rotation.from_rotvec(-np.radians(elev) * axes[:, 0]).as_matrix() @ axes
    # The picture turns counter-clockwise, so the camera turns clockwise as it looks.
    axes = Rotation.from_rotvec(np.radians(roll) * axes[:, 2]).as_matrix() @ axes
    position = centre - axes[:, 2] * radius / np.sin(np.radians(15))
    R = axes.T
    t = -R @ position
    f = 0.5 * min(width, height) / np.tan(np.radians(15)) * zoom
    K = np.array([[f, 0, (width - 1) / 2], [0, f, (height - 1) / 2], [0, 0, 1]])
    for name, offset in points.items():
        p = centre + offset
        uv, _ = cv2.projectPoints(p.reshape(1, 3), cv2.Rodrigues(R)[0], t, K, None)
        depth = (R @ p + t)[2]
        print("    { { %g, %g, %g, %g }, { %g, %g, %g }, { %.9g, %.9g, %.9g } }, // %s" %
              (elev, azim, roll, zoom, *offset, *uv.ravel(), depth, name))
