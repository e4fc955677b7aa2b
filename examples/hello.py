"""The smallest flow: one task, called once. Run it with `python examples/hello.py`."""

from nadi import flow, task


@task
def greet(name: str) -> str:
    return f"Hello, {name}!"


@flow
def hello(name: str = "river") -> str:
    return greet(name)


if __name__ == "__main__":
    print(hello())
