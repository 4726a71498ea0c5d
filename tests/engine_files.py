"""Files as load engines write them, small enough to count in: what each holds stands beside it."""

from __future__ import annotations

import json

K6_SUMMARY = json.dumps(
    {
        "root_group": {"name": "", "checks": {}},
        "metrics": {
            "http_req_duration": {"avg": 22.5, "min": 3.0, "med": 20.0, "max": 230.0, "p(90)": 40.0, "p(95)": 48.0},
            "http_req_duration{expected_response:true}": {"avg": 22.0, "med": 20.0, "p(90)": 39.0, "p(95)": 47.0},
            "http_req_duration{method:GET,name:search}": {"med": 9.0, "p(95)": 18.0, "max": 60.0, "count": 4000},
            "http_req_duration{name:pay}": {"med": 9.0, "p(95)": 18.0, "max": 60.0},
            "http_req_waiting": {"avg": 1.0, "p(95)": 2.0},
            "http_reqs": {"count": 12000, "rate": 200.0},
            "http_req_failed": {"passes": 12, "fails": 11988, "value": 0.001},
            "iterations": {"count": 12000, "rate": 200.0},
        },
    }
)

K6_HANDLED = json.dumps(
    {
        "root_group": {},
        "options": {"summaryTrendStats": ["p(99)"]},
        "state": {"testRunDurationMs": 30000.0},
        "metrics": {
            "http_req_duration": {"type": "trend", "contains": "time", "values": {"med": 20.0, "p(99)": 80.0}},
            "http_req_failed": {"type": "rate", "contains": "default", "values": {"rate": 0.25, "passes": 1000, "fails": 3000}},
        },
    }
)

K6_MACHINE = json.dumps(
    {
        "version": "1.0.0",
        "config": {"duration": 60.0, "execution": "local"},
        "results": {
            "checks": {},
            "metrics": [
                {"name": "http_req_duration", "type": "trend", "contains": "time", "values": {"med": 20.0, "max": 99.0}},
                {"name": "http_reqs", "type": "counter", "contains": "default", "values": {"count": 600}},
                {"name": "http_req_failed", "type": "rate", "values": {"matches": 6, "total": 600, "rate": 0.01}},
            ],
        },
    }
)


def _point(metric: str, second: int, value: float, **tags: str) -> str:
    time = f"2026-11-23T10:00:{second:02}.500000001+01:00"
    return json.dumps({"metric": metric, "type": "Point", "data": {"time": time, "value": value, "tags": tags or None}})


# Three searches of 10, 20 and 30 ms, the last with an answer that was not expected; one of gRPC, a time of the script's own.
K6_LINES = "\n".join(
    (
        '{"type":"Metric","data":{"name":"http_req_duration","type":"trend","contains":"time"},"metric":"http_req_duration"}',
        '{"type":"Metric","data":{"name":"http_req_waiting","type":"trend","contains":"time"},"metric":"http_req_waiting"}',
        '{"type":"Metric","data":{"name":"login","type":"trend","contains":"time"},"metric":"login"}',
        '{"type":"Metric","data":{"name":"vus","type":"gauge","contains":"default"},"metric":"vus"}',
        "",
        _point("vus", 1, 5, about="Metric"),
        _point("http_req_duration", 1, 10, method="GET", name="search", expected_response="true", status="200"),
        _point("http_req_waiting", 1, 9, method="GET", name="search", expected_response="true", status="200"),
        _point("http_req_duration", 2, 20, method="GET", url="/search", status="204"),
        _point("http_req_duration", 5, 30, method="GET", name="search", expected_response="false", status="200"),
        _point("http_req_duration", 5, 40, method="GET", name="search", status="503"),
        _point("http_req_duration", 5, 50, method="GET", name="search", status="0", error_code="1050"),
        _point("grpc_req_duration", 5, 60, method="/shop/Pay", status="0"),
        _point("grpc_req_duration", 6, 70, status="14"),
        _point("login", 6, 500),
    )
)

_CSV = (
    "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,status,url,extra_tags,metadata"
)

K6_CSV = f"""{_CSV}
vus,1795431600,5.000000,,,,,,,,,,,
http_req_duration,1795431600,10.000000,,,,true,,GET,search,200,https://shop.example/s,,
http_req_duration,1795431604,20.000000,,,,false,,GET,search,500,https://shop.example/s,,
"""

_PERCENTILES = "50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%"

LOCUST_STATS = f"""Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,\
Max Response Time,Average Content Size,Requests/s,Failures/s,{_PERCENTILES}
GET,/search,4000,0,12,14.5,3,180.5,512,40.0,0.0,12,14,16,18,25,31,60,90,150,180,180
POST,"/pay, now",1000,20,55,60.1,20,1900,64,10.0,0.2,55,60,66,70,90,120,300,700,1500,1900,1900
GET,/never,0,0,0,0.0,0,0,0,0.0,0.0,{",".join(["N/A"] * 11)}
,Aggregated,5000,20,14,23.6,3,1900,422,50.0,0.2,14,18,22,30,60,75,180,450,1400,1900,1900
"""

_HISTORY = f"""Timestamp,User Count,Type,Name,Requests/s,Failures/s,{_PERCENTILES},Total Request Count,Total Failure Count,\
Total Median Response Time,Total Average Response Time,Total Min Response Time,Total Max Response Time,Total Average Content Size
"""

LOCUST_HISTORY = f"""{_HISTORY}1795431600,0,,Aggregated,0.00,0.00,{",".join(["N/A"] * 11)},0,0,0,0.0,0,0,0
1795431700,10,,Aggregated,50.00,0.20,14,18,22,30,60,75,180,450,1400,1900,1900,5000,20,14,23.6,3,1900,422
"""

LOCUST_FULL_HISTORY = f"""{_HISTORY}1795431600,10,GET,/search,50.00,0.20,9,9,9,9,9,9,9,9,9,9,9,10,0,14,23.6,3,190,422
1795431600,10,,Aggregated,50.00,0.20,9,9,9,9,9,9,9,9,9,9,9,10,0,14,23.6,3,190,422
1795431700,10,GET,/search,50.00,0.20,9,9,9,9,9,9,9,9,9,9,9,5000,20,14,23.6,3,1900,422
1795431700,10,,Aggregated,50.00,0.20,9,9,9,9,9,9,9,9,9,9,9,5000,20,14,23.6,3,1900,422
"""

LOCUST_FAILURES = "Method,Name,Error,Occurrences\nGET,/search,HTTPError(500),20\n"

HDR_TABLE = """\
       Value     Percentile TotalCount 1/(1-Percentile)

       0.921 0.000000000000          1           1.00
       4.053 0.100000000000       1000           1.11
      20.015 0.500000000000       5000           2.00
      48.031 0.950000000000       9500          20.00
      90.111 0.990000000000       9900         100.00
     250.111 1.000000000000      10000
#[Mean    =       22.150, StdDeviation   =       12.200]
#[Max     =      249.856, Total count    =        10000]
#[Buckets =           27, SubBuckets     =         2048]
"""

WRK2 = f"""$ wrk2 -t2 -c100 -d30s -R2000 --latency http://127.0.0.1/
Running 30s test @ http://127.0.0.1/
  2 threads and 100 connections
  Thread calibration: mean lat.: 10.087ms, rate sampling interval: 22ms
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    22.15ms   12.20ms 249.86ms   68.46%
    Req/Sec     1.04k     1.08k    2.50k    72.79%
  Latency Distribution (HdrHistogram - Recorded Latency)
 50.000%   20.01ms
 99.000%   90.11ms
100.000%  250.11ms

  Detailed Percentile spectrum:
{HDR_TABLE}----------------------------------------------------------

  Latency Distribution (HdrHistogram - Uncorrected Latency (measured without taking delayed starts into account))
 50.000%    1.01ms
100.000%    2.11ms

  Detailed Percentile spectrum:
       Value   Percentile   TotalCount 1/(1-Percentile)

       1.100     1.000000        10000          inf
#[Mean    =        1.050, StdDeviation   =        0.100]
#[Max     =        1.100, Total count    =        10000]
  15000 requests in 30.00s, 19.81MB read
  Socket errors: connect 1, read 2, write 0, timeout 3
  Non-2xx or 3xx responses: 40
Requests/sec:    500.00
Transfer/sec:    676.18KB
"""

WRK = """Running 30s test @ http://127.0.0.1/
  12 threads and 400 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   635.91us    0.89ms  12.92ms   93.69%
    Req/Sec    56.20k     8.07k   62.00k    86.54%
  Latency Distribution
     50%  250.00us
     75%  491.00us
     90%  700.00us
     99%    5.80ms
  20000 requests in 30.00s, 17.76MB read
Requests/sec:    666.67
Transfer/sec:    606.33MB
"""

WRK2_SHORT = """Running 30s test @ http://localhost/
  Thread Stats   Avg      Stdev     99%   +/- Stdev
    Latency     2.89ms  632.16us   5.86ms   60.74%
  Latency Distribution (HdrHistogram - Recorded Latency)
 50.000%    2.87ms
 99.000%    4.22ms
100.000%    5.86ms

#[Mean    =        2.886, StdDeviation   =        0.632]
#[Max     =        5.856, Total count    =         6795]
----------------------------------------------------------
  10198 requests in 30.01s, 11.20MB read
"""

HDRPLOT = """\
Value(ms)  Percentile  TotalCount  1/(1-Percentile)
3.000000   0.000000    0           1.000000
20.000000  0.500000    5000        2.000000
48.000000  0.950000    9500        20.000000
90.000000  0.990000    9900        100.000000
250.000000 1.000000    10000       10000000.000000
"""

_HIT = (
    '{"attack":"","seq":%d,"code":%d,"timestamp":"2026-11-23T10:00:0%d.5Z","latency":%d,"error":"%s","method":"GET","url":"%s"}'
)

# Three requests of 10, 20 and 30 ms within 2.01 s; the last failed.
VEGETA_LINES = "\n".join(
    (
        _HIT % (0, 200, 0, 10_000_000, "", "http://shop.example/items/1"),
        "",
        _HIT % (1, 302, 2, 20_000_000, "", "http://shop.example/items/2?page=2"),
        _HIT % (2, 0, 1, 30_000_000, "connection refused", "http://shop.example/items/2"),
    )
)

VEGETA_CSV = """\
1795431600500000000,200,10000000,0,5,,aGVsbG8=,,0,GET,http://shop.example/items/1,
1795431602500000000,404,20000000,0,5,"404, Not Found",aGVsbG8=,,1,GET,http://shop.example/items/2,
"""

VEGETA_OLD_CSV = "1795431600500000000,200,10000000,0,5,,aGVsbG8=\n"

VEGETA_REPORT = json.dumps(
    {
        "latencies": {
            "total": 1, "mean": 2, "50th": 20_000_000, "90th": 35_000_000, "95th": 40_000_000, "99th": 60_000_000,
            "max": 100_000_000, "min": 1_000_000,
        },
        "bytes_in": {"total": 1, "mean": 1}, "earliest": "2026-11-23T10:00:00Z", "duration": 9_900_000_000, "wait": 100_000_000,
        "requests": 10000, "rate": 1000, "throughput": 990, "success": 0.999, "status_codes": {"200": 9990, "500": 10},
        "errors": ["500 Internal Server Error"],
    }
)  # fmt: skip

VEGETA_BUCKETS = json.dumps({**json.loads(VEGETA_REPORT), "buckets": {"0": 9000, "50000000": 900, "80000000": 100}})

VEGETA_HISTOGRAM = """Bucket           #     %       Histogram
[0s,     50ms]   9000  90.00%  ###################################################################
[50ms,   1.5s]   900   9.00%   ######
[1.5s,   +Inf]   100   1.00%

"""

_RUN = "RUN\tshop.CheckoutSimulation\tcheckout\t1795431600000\t \t"

# Three requests of 100, 200 and 300 ms in 1.3 s; the last failed. From 2.0 on, in four forms.
GATLING_LOGS = {
    "2.0": "shop.CheckoutSimulation\tcheckout\tRUN\t20261123\t \t2.0\n"
    "Buy\t1\tUSER\tSTART\t1795431600000\t0\n"
    "Buy\t1\tREQUEST\t\tsearch\t1795431600000\t1795431600001\t1795431600090\t1795431600100\tOK\t \n"
    "Buy\t2\tREQUEST\t\tsearch\t1795431600000\t1795431600001\t1795431600190\t1795431600200\tOK\t \n"
    "Buy\t1\tREQUEST\tcart,end\tpay\t1795431601000\t1795431601001\t1795431601290\t1795431601300\tKO\tstatus 500\n",
    "2.3": f"{_RUN}2.3.0\n"
    "USER\tBuy\t1\tSTART\t1795431600000\t0\n"
    "REQUEST\tBuy\t1\t\tsearch\t1795431600000\t1795431600100\tOK\t \n"
    "REQUEST\tBuy\t2\t\tsearch\t1795431600000\t1795431600200\tOK\t \n"
    "REQUEST\tBuy\t1\tcart,end\tpay\t1795431601000\t1795431601300\tKO\tstatus 500\n",
    "3.0": f"ASSERTION\tAAEGAAIBAQ\n{_RUN}3.0.0\n"
    "REQUEST\t1\t\tsearch\t1795431600000\t1795431600100\tOK\t \n"
    "REQUEST\t2\t\tsearch\t1795431600000\t1795431600200\tOK\t \n"
    "REQUEST\t1\tcart,end\tpay\t1795431601000\t1795431601300\tKO\tstatus 500\n",
    "3.10": f"{_RUN}3.10.5\n"
    "USER\tBuy\tSTART\t1795431600000\n"
    "REQUEST\t\tsearch\t1795431600000\t1795431600100\tOK\t \n"
    "REQUEST\t\tsearch\t1795431600000\t1795431600200\tOK\n"
    "REQUEST\tcart,end\tpay\t1795431601000\t1795431601300\tKO\tstatus 500\n"
    "GROUP\tcart\t1795431601000\t1795431601300\t300\tKO\n"
    "ERROR\tsomething\t1795431601300\n",
}

GATLING_BINARY = b"\0\0\0\0\x063.11.0\0\0\0\x17shop.CheckoutSimulation\0\0\x01\x99\x93"


def _gatling(name: str, ok: int, ko: int, percentiles: list[object], groups: list[int], **more: object) -> dict[str, object]:
    stats = {f"percentiles{number}": {"total": 1, "ok": value, "ko": 1} for number, value in enumerate(percentiles, 1)}
    bounds = ("t < 800 ms", "t ≥ 800 ms <br> t < 1200 ms", "t ≥ 1200 ms")
    stats |= {f"group{number}": {"name": bounds[number - 1], "count": count} for number, count in enumerate(groups, 1)}
    return {"name": name, "numberOfRequests": {"total": ok + ko, "ok": ok, "ko": ko}, **stats, **more}


GATLING_REPORT = json.dumps(
    {
        "type": "GROUP",
        "name": "All Requests",
        "stats": _gatling(
            "All Requests", 9990, 10, [200, 400, 900, 1500], [9400, 390, 200],
            minResponseTime={"total": 5, "ok": 5, "ko": 900}, maxResponseTime={"total": 3000, "ok": 2500, "ko": 3000},
            meanNumberOfRequestsPerSecond={"total": 100.0, "ok": 99.9, "ko": 0.1},
        ),
        "contents": {
            "req_search": {"type": "REQUEST", "name": "search", "stats": _gatling("search", 9000, 0, ["150", 300, "-"], [])},
            "group_cart": {
                "type": "GROUP",
                "name": "cart",
                "stats": _gatling("cart", 990, 10, [1, 2, 3, 4], []),
                "contents": {"req_pay": {"type": "REQUEST", "name": "pay", "stats": _gatling("pay", 0, 10, [0, 0, 0, 0], [])}},
            },
        },
    }
)  # fmt: skip

GATLING_GLOBAL = json.dumps(_gatling("All Requests", 100, 0, [200, 400, 900, 1500], [90, 5, 5]))

_JTL = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,URL,Latency"

JMETER_CSV = f"""{_JTL}
1795431600000,100,search,200,OK,Group 1-1,text,true,,512,http://shop.example/s,90
1795431600500,300,"pay, now",500,Server Error,Group 1-1,text,false,"Test failed: code",512,http://shop.example/p,90
1795431600000,400,Buy,,"Number of samples in transaction : 2, number of failing samples : 1",Group 1-1,,false,,1024,null,0
"""

JMETER_XML = """<?xml version="1.0" encoding="UTF-8"?>
<testResults version="1.2">
<httpSample t="100" it="0" lt="90" ts="1795431600000" s="true" lb="search" rc="200" rm="OK" tn="Group 1-1">
  <httpSample t="40" ts="1795431600000" s="true" lb="search-0" rc="302" rm="Found"/>
  <assertionResult><name>code</name><failure>false</failure></assertionResult>
</httpSample>
<sample t="400" ts="1795431600400" s="false" lb="Buy" rm="Number of samples in transaction : 1, number of failing samples : 1">
  <httpSample t="300" ts="1795431600500" s="false" lb="pay" rc="500" rm="Server Error"/>
</sample>
<extra/>
</testResults>
"""

JMETER_HEADERLESS = "1795431600000,100,search,200,OK,Group 1-1,text,true,,512,http://shop.example/s,90\n"

TEXTS = {
    "k6 summary": K6_SUMMARY,
    "k6 summary, handled": K6_HANDLED,
    "k6 summary, machine-readable": K6_MACHINE,
    "k6 lines": K6_LINES,
    "k6 CSV": K6_CSV,
    "Locust": LOCUST_STATS,
    "Locust history": LOCUST_HISTORY,
    "Locust full history": LOCUST_FULL_HISTORY,
    "HdrHistogram": HDR_TABLE.replace("Value ", "Value(ms) "),
    "wrk2": WRK2,
    "wrk2, short": WRK2_SHORT,
    "wrk": WRK,
    "hdrplot": HDRPLOT,
    "vegeta lines": VEGETA_LINES,
    "vegeta CSV": VEGETA_CSV,
    "vegeta report": VEGETA_REPORT,
    "vegeta buckets": VEGETA_BUCKETS,
    "vegeta histogram": VEGETA_HISTOGRAM,
    **{f"Gatling {version}": text for version, text in GATLING_LOGS.items()},
    "Gatling report": GATLING_REPORT,
    "JMeter CSV": JMETER_CSV,
    "JMeter XML": JMETER_XML,
}
"""Every kind of file that can be judged."""
