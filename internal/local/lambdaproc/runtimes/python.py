"""Runs a function in Python as Lambda does: it takes events from the Runtime API and sends the responses back.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""
import decimal
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback

BASE = "/2018-06-01/runtime"


def call(method, path, body=None):
    """Sends a request to the Runtime API and returns the response's headers and body."""
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        connection.request(method, BASE + path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.headers, response.read()
    finally:
        connection.close()


def describe(error):
    """Returns what Lambda tells of an exception."""
    return json.dumps({
        "errorType": type(error).__name__,
        "errorMessage": str(error),
        "stackTrace": traceback.format_tb(error.__traceback__),
    })


def number(value):
    """Makes JSON of a Decimal, as Lambda does: DynamoDB's numbers are such."""
    if not isinstance(value, decimal.Decimal):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)


def load():
    """Returns the handler that _HANDLER names: FOLDER/MODULE.FUNCTION, or with dots between the folders."""
    module, dot, function = os.environ["_HANDLER"].rpartition(".")
    if not dot:
        raise ValueError(f"the handler {function} is not MODULE.FUNCTION")
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    return getattr(importlib.import_module(module.replace("/", ".")), function)


class Context:
    """A handler's second argument."""

    def __init__(self, headers):
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


def serve(handler):
    """Takes events one after the other."""
    while True:
        headers, event = call("GET", "/invocation/next")
        path = "/invocation/" + headers["Lambda-Runtime-Aws-Request-Id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
        try:
            answer = json.dumps(handler(json.loads(event), Context(headers)), default=number)
        except Exception as error:  # what a handler raises is its answer
            traceback.print_exc()
            call("POST", path + "/error", describe(error))
        else:
            call("POST", path + "/response", answer)


def main():
    sys.path.pop(0)  # the folder of this file
    sys.stdout.reconfigure(line_buffering=True)
    logging.basicConfig(stream=sys.stdout, format="[%(levelname)s]\t%(message)s")
    try:
        handler = load()
    except BaseException as error:  # a module may even call sys.exit
        traceback.print_exc()
        call("POST", "/init/error", describe(error))
        sys.exit(1)
    serve(handler)


main()
