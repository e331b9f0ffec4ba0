"""What two threads gain on one loaded generator, and what the loader costs before the first image.

    python -m benchmarks.serving_threads [exported/dcgan_fashion_mnist] [format] [pairs]

One generator with one thread a call is asked for images by one thread and by two, by turns; beside it stands what two
processes gain, which share nothing: the most that the machine gives just then, whatever else it does. Printed are
medians of wall time. The goal is 1.7 on two idle cores. Then a fresh process imports the serving package: CPU seconds
beside NumPy's, and megabytes in memory.
"""

import concurrent.futures
import multiprocessing
import pathlib
import statistics
import subprocess
import sys
import time

import tfgan_zoo_serving

ROOT = pathlib.Path(__file__).resolve().parent.parent
BATCH, CALLS, GOAL = 64, 40, 1.7
FRESH = """
import sys, time
sys.path.insert(0, sys.argv[1])
begin = time.process_time()
import numpy
between = time.process_time()
import tfgan_zoo_serving
with open("/proc/self/statm") as told:
    memory = int(told.read().split()[1]) * 4096 / 1e6
print(between - begin, time.process_time() - between, memory)
"""


def opened(directory, format):
    """A generator, and arguments for a batch of it."""
    generator = tfgan_zoo_serving.load_exported(directory, format, threads=1)
    given = [generator.draw_latents(BATCH, seed=0)]
    given += [] if generator.num_classes is None else [[row % generator.num_classes for row in range(BATCH)]]
    generator(*given)
    return generator, given


def seconds(generator, given, threads):
    """Of `CALLS` calls by each of so many threads."""
    begin = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: generator(*given), range(CALLS * threads)))
    return time.perf_counter() - begin


def answering(directory, format, pipe):
    """A process that is asked for `CALLS` calls, until it is asked no more."""
    generator, given = opened(directory, format)
    pipe.send(0.0)
    while pipe.recv():
        pipe.send(seconds(generator, given, 1))


def main(directory, format, pairs):
    """Print both gains, and the cost of importing."""
    generator, given = opened(directory, format)
    pipes = []
    for _ in range(2):
        pipe, theirs = multiprocessing.Pipe()
        multiprocessing.Process(target=answering, args=(directory, format, theirs), daemon=True).start()
        pipe.recv()
        pipes.append(pipe)

    def processes(count):
        for pipe in pipes[:count]:
            pipe.send(True)
        return max(pipe.recv() for pipe in pipes[:count])

    sides = {"threads": lambda count: seconds(generator, given, count), "processes": processes}
    gains = {name: [] for name in sides}
    for _ in range(pairs):
        for name, side in sides.items():
            gains[name].append(2 * side(1) / side(2))
    for pipe in pipes:
        pipe.send(False)
    print(f"{directory.name}, {format}, batch {BATCH}, {pairs} pairs of {CALLS} calls")
    for name, found in gains.items():
        print(f"  two {name} over one: {statistics.median(found):.2f} (from {min(found):.2f} to {max(found):.2f})")
    print(f"  goal >= {GOAL}: {'met' if statistics.median(gains['threads']) >= GOAL else 'missed'}")
    told = subprocess.run([sys.executable, "-c", FRESH, str(ROOT)], capture_output=True, text=True, check=True).stdout
    numpy, package, memory = map(float, told.split())
    print(
        f"  importing: NumPy {numpy:.3f} s, the serving package {package:.3f} s more, {memory:.0f} MB (goal: 0.15, 80)"
    )


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    given = sys.argv[1:] + ["exported/dcgan_fashion_mnist", "tflite_float16", "15"][len(sys.argv) - 1 :]
    main(pathlib.Path(given[0]), given[1], int(given[2]))
