"""A timeout that ends the work for certain: the task runs in a process, which is killed when its time is up.

Counting is done in C here, where a thread could not be interrupted.
"""

from nadi import flow, task


@task(timeout_seconds=1.0)
def count(upto: int) -> int:
    return sum(1 for _ in filter(None.__ne__, range(upto)))


@flow(executor="process")
def patient_enough(sizes: tuple[int, ...] = (1_000, 10_000_000_000)) -> list[str]:
    futures = count.map(sizes)
    futures.wait()
    return [f"{size:,}: {future.state.name}" for size, future in zip(sizes, futures, strict=True)]


if __name__ == "__main__":
    print("\n".join(patient_enough()))
