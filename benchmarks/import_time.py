"""What `import tfgan_zoo` costs on top of `import tensorflow`.     python -m benchmarks.import_time"""

import statistics
import subprocess
import sys

import typer

SCRIPT = """
import time, tensorflow
begin = time.perf_counter(), time.process_time()
import tfgan_zoo
print(time.perf_counter() - begin[0], time.process_time() - begin[1])
"""


def main(runs: int = 7):
    """Print the median over fresh processes, in wall and CPU seconds."""
    rows = []
    for _ in range(runs + 1):  # the first writes the byte code
        done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
        rows.append([float(number) for number in done.stdout.split()])
    wall, cpu = (statistics.median(column) for column in zip(*rows[1:], strict=True))
    print(f"import tfgan_zoo after import tensorflow: {wall:.3f} s wall, {cpu:.3f} s CPU   (goal <= 0.3)")


if __name__ == "__main__":
    typer.run(main)
