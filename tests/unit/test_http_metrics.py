"""What is measured of HTTP requests: bounded, whatever a stranger sends."""

from sagamart.platform.metrics import Metrics


def answered(metrics: Metrics, method: str, route: str | None = "/v1/orders") -> None:
    metrics.answered({"method": method, "path_template": route}, 200, 0.01)


def counted(metrics: Metrics) -> list[str]:
    lines = metrics.exposition().decode().splitlines()
    return sorted(line for line in lines if line.startswith("sagamart_http_requests_total{"))


def test_requests_are_counted_by_method_route_and_status() -> None:
    metrics = Metrics()
    for _ in range(3):
        answered(metrics, "POST")
    answered(metrics, "GET", None)

    assert counted(metrics) == [
        'sagamart_http_requests_total{method="GET",route="unmatched",status="200"} 1.0',
        'sagamart_http_requests_total{method="POST",route="/v1/orders",status="200"} 3.0',
    ]


def test_methods_of_a_strangers_choice_share_one_name() -> None:
    metrics = Metrics()
    for number in range(50):
        answered(metrics, f"METHOD-{number}", None)

    assert counted(metrics) == ['sagamart_http_requests_total{method="other",route="unmatched",status="200"} 50.0']
