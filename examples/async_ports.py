"""Async tasks side by side: which of these ports of this machine answers?"""

import asyncio

from nadi import flow, task


@task(timeout_seconds=2.0, retries=1)
async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@flow
async def open_ports(ports: list[int]) -> list[int]:
    found = await asyncio.gather(*(answers(port) for port in ports))
    return [port for port, is_open in zip(ports, found, strict=True) if is_open]


if __name__ == "__main__":
    print(asyncio.run(open_ports([22, 80, 443, 4300, 5432, 8080])))
