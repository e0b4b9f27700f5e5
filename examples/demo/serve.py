"""Run Prometheus and Alertmanager of the tools folder on configurations of yours, until ended.

    python serve.py --prometheus prometheus.yml --alertmanager alertmanager.yml

Their data and logs are in `--data`. Debian's Alertmanager is lent the templates that it needs.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

# A script finds what lies beside it, but not the package that it is a part of.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from demo.scene import newest, tool
from demo.servers import ServerError, alertmanager, prometheus
from slo_compiler.tools import ToolsError


def main() -> int:
    """Serve until interrupted or terminated; the exit code."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack, suppress(KeyboardInterrupt):
            _start(options, stack)
            threading.Event().wait()
    except (ToolsError, ServerError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _start(options: argparse.Namespace, stack: ExitStack) -> None:
    """Start both, and print where each answers."""
    suite = newest()
    for name, binary, run, extra in (
        # The first alerts are lost, as Alertmanager is found some seconds later.
        ("prometheus", "prometheus", prometheus, ["--rules.alert.resend-delay=5s"]),
        ("alertmanager", "prometheus-alertmanager", alertmanager, []),
    ):
        config: Path = getattr(options, name)
        data: Path = options.data / name
        port: int = getattr(options, f"{name}_port")
        running = run(tool(suite, binary), config, data, port=port, extra_args=extra)
        server = stack.enter_context(running)
        print(f"{name:<12} {server.url}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--prometheus", type=Path, required=True, metavar="FILE")
    parser.add_argument("--alertmanager", type=Path, required=True, metavar="FILE")
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR")
    parser.add_argument("--prometheus-port", type=int, default=9090, metavar="PORT")
    parser.add_argument("--alertmanager-port", type=int, default=9093, metavar="PORT")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
