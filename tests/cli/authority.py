# authority.py FOLDER - a time stamp authority and an OCSP responder over HTTP, for tests: openssl answers. FOLDER holds what
# authority.bash makes. Prints its port. /tsa and /ocsp answer; the other addresses are those of a bad authority.
import http.server
import os
import subprocess
import sys

folder = sys.argv[1]
os.chdir(folder)


def answer(command, request):
    with open("request", "wb") as out:
        out.write(request)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open("answer", "rb") as made:
        return made.read()


def time_stamp(request):
    return answer(["openssl", "ts", "-reply", "-config", "authority.cnf", "-section", "tsa_section", "-queryfile", "request",
                   "-out", "answer"], request)


def revocation(request):
    return answer(["openssl", "ocsp", "-index", "index.txt", "-CA", "root.pem", "-rsigner", "ocsp.pem", "-rkey", "ocsp.key",
                   "-reqin", "request", "-respout", "answer", "-ndays", "7"], request)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = self.rfile.read(int(self.headers["Content-Length"]))
        kind, body, status = "application/timestamp-reply", b"", 200
        if self.path == "/tsa":
            body = time_stamp(request)
            with open("old", "wb") as old:
                old.write(body)
        elif self.path == "/ocsp":
            kind, body = "application/ocsp-response", revocation(request)
        elif self.path == "/replay":
            with open("old", "rb") as old:
                body = old.read()
        elif self.path == "/refuse":  # PKIStatus rejection with a reason
            body = bytes.fromhex("3011300f020102300a0c08746f6f2062757379")
        elif self.path == "/junk":
            body = b"hello"
        elif self.path == "/long":
            body = b"x" * (2 << 20)
        elif self.path == "/type":
            kind, body = "text/html", time_stamp(request)
        elif self.path == "/redirect":
            status = 302
        else:
            status = 500
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/tsa")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
