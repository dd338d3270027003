#!/usr/bin/env python3
"""hostile.py BINARY FOLDER CORPUS - files that are made to cost time or memory, and every broken file of the fuzz targets,
through verify, show and sign. Nothing but Python's library and openssl, for signatures that hold: what is only judged
behind a good signature must be cheap too. BLINDSTAMP_HOME has an identity without passphrase."""
import ctypes, functools, hashlib, os, resource, struct, subprocess, sys, zlib

binary, folder, corpus = sys.argv[1:4]
home = os.environ["BLINDSTAMP_HOME"]
CPU = float(os.environ.get("HOSTILE_SECONDS", "1.5"))  # of processor; a second on the machines of the issue, more for slow ones
MEMORY = 64 << 20
os.makedirs(folder, exist_ok=True)

# ---- containers ----

def chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def png(width=1, height=1, depth=8, colour=2, interlace=0, before=b"", pixels=None, after=b""):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    if pixels is None:
        pixels = zlib.compress(b"\0" + bytes(3 * width))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", pixels) + after + chunk(b"IEND")

def zeros(count):
    """Deflated zeros: one mebibyte over and over, which ends so that it can stand behind itself."""
    def deflated(n, end):
        z = zlib.compressobj(9, zlib.DEFLATED, -15)
        return z.compress(bytes(n)) + z.flush(end)
    check = struct.pack(">I", count % 65521 << 16 | 1)
    return b"\x78\xda" + deflated(1 << 20, zlib.Z_FULL_FLUSH) * (count >> 20) + deflated(count & (1 << 20) - 1, zlib.Z_FINISH) + check

def segment(marker, data=b""):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data

def jpeg(before=b"", width=16, height=16, frame=0xC0, scans=None):
    """A grey picture; scans: what follows the frame's head."""
    frame = segment(frame, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
    tables = segment(0xDB, b"\0" + bytes([1]) * 64)
    # one code of one bit for 0: no difference; and the end of each block
    tables += segment(0xC4, b"\x00" + bytes([1]) + bytes(15) + b"\0") + segment(0xC4, b"\x10" + bytes([1]) + bytes(15) + b"\0")
    if scans is None:
        scans = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + bytes((width // 8) * (height // 8) * 2 // 8 + 1)
    return b"\xff\xd8" + before + tables + frame + scans + b"\xff\xd9"

def riff(*chunks):
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body

def part(kind, data=b""):
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)

def lossless(width, height):
    """A VP8L picture of one colour: five prefix codes of one symbol each, and no bits for the pixels."""
    bits, count = 0, 0
    def put(value, n):
        nonlocal bits, count
        bits |= value << count
        count += n
    put(width - 1, 14), put(height - 1, 14), put(0, 1), put(0, 3)
    put(0, 1), put(0, 1), put(0, 1)  # no transform, no colour cache, no meta prefix codes
    for _ in range(5):
        put(1, 1), put(0, 1), put(0, 1), put(0, 1)  # simple, one symbol of one bit: 0
    return b"\x2f" + bits.to_bytes((count + 7) // 8, "little")

def vp8x(width, height, flags):
    return part(b"VP8X", bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))

# ---- CBOR, JUMBF, COSE ----

def head(major, n):
    if n < 24: return bytes([major << 5 | n])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 1 << (8 * size): return bytes([major << 5 | code]) + n.to_bytes(size, "big")

def cbor(value):
    if isinstance(value, Raw): return bytes(value)
    if value is None: return b"\xf6"
    if isinstance(value, bool): return b"\xf5" if value else b"\xf4"
    if isinstance(value, int): return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, (bytes, bytearray)): return head(2, len(value)) + value
    if isinstance(value, str): return head(3, len(value.encode())) + value.encode()
    if isinstance(value, (list, tuple)): return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())

class Raw(bytes): pass

def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body

def uuid(name): return name.encode() + bytes.fromhex("00110010800000aa00389b71")

def super_(kind, label, *parts):
    return box(b"jumb", box(b"jumd", uuid(kind), b"\x03", label.encode() + b"\0"), *parts)

def content(super_box): return super_box[8:]

def der(pem):
    out = subprocess.run(["openssl", "x509", "-outform", "DER"], input=pem, capture_output=True, check=True)
    return out.stdout

@functools.cache
def own_chain():
    pem = open(home + "/certs/author.pem").read()
    return [der((p + "-----END CERTIFICATE-----\n").encode()) for p in pem.split("-----END CERTIFICATE-----\n") if "BEGIN" in p][:1]

def sign(words):
    path = folder + "/words"
    open(path, "wb").write(words)
    out = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", home + "/keys/author.pem", "-in", path], capture_output=True, check=True).stdout
    os.remove(path)
    return out

def cose(claim, chain=None, unprotected=None, algorithm=-8):
    protected = cbor({1: algorithm, 33: chain if chain else own_chain()})
    signature = sign(cbor(["Signature1", protected, b"", claim]))
    return b"\xd2" + cbor([protected, unprotected or {}, None, signature])

LABEL = "urn:c2pa:00000000-0000-4000-8000-0000000000%02x"

def manifest(assertions, listed=None, label=LABEL % 1, more=None, kind="c2ma", **signing):
    """assertions: [(label, box)]; listed: references instead of those to all of them."""
    if listed is None:
        listed = [{"url": "self#jumbf=c2pa.assertions/" + name, "hash": hashlib.sha256(content(data)).digest()} for name, data in assertions]
    claim = {"instanceID": "xmp:iid:1", "claim_generator_info": {"name": "hostile"}, "signature": "self#jumbf=c2pa.signature",
             "created_assertions": listed, "alg": "sha256"}
    claim.update(more or {})
    claim = cbor(claim)
    return super_(kind, label, super_("c2as", "c2pa.assertions", *[data for _, data in assertions]),
                  super_("c2cl", "c2pa.claim.v2", box(b"cbor", claim)),
                  super_("c2cs", "c2pa.signature", box(b"cbor", cose(claim, **signing))))

def store(*manifests): return super_("c2pa", "c2pa", *manifests)

def assertion(name, value): return name, super_("cbor", name, box(b"cbor", cbor(value)))

ACTIONS = assertion("c2pa.actions.v2", {"actions": [{"action": "c2pa.opened", "when": "2026-01-01T00:00:00Z"}]})

def binding(exclusions=None): # of a PNG in which the manifest is the first chunk behind IHDR; its hash is wrong, its work is done
    return assertion("c2pa.hash.data", {"exclusions": exclusions or [{"start": 33, "length": 100}], "name": "jumbf manifest", "alg": "sha256", "hash": bytes(32), "pad": b""})

def carried(manifests, **more): return png(before=chunk(b"caBX", manifests), **more)

def app11(manifests, size=65000):
    out, length = [], struct.pack(">I", len(manifests)) + b"jumb"
    for n, at in enumerate(range(8, len(manifests), size), 1):
        out.append(segment(0xEB, b"JP\x00\x01" + struct.pack(">I", n) + length + manifests[at : at + size]))
    return b"".join(out)

@functools.cache
def brotli(data):
    """Data of which little remains."""
    lib = ctypes.CDLL("libbrotlienc.so.1")
    lib.BrotliEncoderCompress.argtypes = [ctypes.c_int] * 3 + [ctypes.c_size_t, ctypes.c_char_p, ctypes.POINTER(ctypes.c_size_t), ctypes.c_char_p]
    size = ctypes.c_size_t(len(data) // 64 + 1024)
    out = ctypes.create_string_buffer(size.value)
    assert lib.BrotliEncoderCompress(5, 24, 0, len(data), data, ctypes.byref(size), out)
    return out.raw[: size.value]

# ---- DER ----

def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128: return bytes([tag, len(body)]) + body
    n = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | n]) + len(body).to_bytes(n, "big") + body

def number(n): return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))

def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytes([first * 40 + second])
    for n in rest:
        piece = [n & 127]
        while n > 127:
            n >>= 7
            piece.append(n & 127 | 128)
        out += bytes(reversed(piece))
    return tlv(6, out)

def certificate(public=None, extensions=b"", name=b"hostile", issuer=b"hostile"):
    """Signed by nobody; public: a SubjectPublicKeyInfo."""
    public = public or tlv(0x30, tlv(0x30, oid("1.3.101.112")), tlv(3, b"\0" + bytes(32)))
    def called(text): return tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(12, text))))
    rsa = tlv(0x30, oid("1.2.840.113549.1.1.11"), tlv(5))
    when = tlv(0x30, tlv(0x17, b"250101000000Z"), tlv(0x17, b"350101000000Z"))
    inner = tlv(0x30, tlv(0xA0, number(2)), number(1), rsa, called(issuer), when, called(name), public, extensions and tlv(0xA3, tlv(0x30, extensions)))
    return tlv(0x30, inner, rsa, tlv(3, b"\0" + bytes(range(1, 256)) * 8))

def rsa_public(n, e):
    return tlv(0x30, tlv(0x30, oid("1.2.840.113549.1.1.1"), tlv(5)), tlv(3, b"\0", tlv(0x30, number(n), number(e))))

def extension(name, value): return tlv(0x30, oid(name), tlv(4, value))

# ---- the files ----

def xmp(inside, doctype=""):
    return (doctype + '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description rdf:about="" xmlns:a="http://example.org/a/">' + inside + "</rdf:Description></rdf:RDF></x:xmpmeta>").encode()

def text_of_xmp(data, packed=False):
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0" + (b"\1\0" if packed else b"\0\0") + b"\0\0" + (zlib.compress(data) if packed else data))

def exif(entries, tail=b""):
    return b"MM\0*" + struct.pack(">IH", 8, len(entries)) + b"".join(struct.pack(">HHII", *e) for e in entries) + struct.pack(">I", 0) + tail

def same_assertion_often():
    big = assertion("org.example.big", {"data": bytes(2 << 20)})
    return carried(store(manifest([big, ACTIONS], [{"url": "self#jumbf=c2pa.assertions/org.example.big", "hash": hashlib.sha256(content(big[1])).digest()}] * 1000)))

def ingredients(count, other, label="c2pa.ingredient.v3"):
    """Many ingredients that are all the same manifest."""
    digest = hashlib.sha256(content(other)).digest()
    return [assertion("%s__%d" % (label, i) if i else label, {"relationship": "componentOf", "dc:title": "x", "activeManifest": {"url": "self#jumbf=/c2pa/" + LABEL % 2, "hash": digest},
             "validationResults": {"activeManifest": {"success": [{"code": "claimSignature.validated", "url": "self#jumbf=/c2pa/" + LABEL % 2}] * 8, "informational": [], "failure": []}}}) for i in range(count)]

def chain_of_policies():
    policies = extension("2.5.29.32", tlv(0x30, *[tlv(0x30, oid("1.2.3.%d" % i)) for i in range(100000)]))
    return [certificate(extensions=policies, name=b"c%d" % n, issuer=b"c%d" % (n + 1)) for n in range(8)]

def ladder(depth, fan):
    """Manifests in a row, each an ingredient of the one above it several times over: fan^depth ways to the last."""
    made = [manifest([ACTIONS, binding()], label=LABEL % 0)]
    for i in range(1, depth):
        digest, below = hashlib.sha256(content(made[-1])).digest(), "self#jumbf=/c2pa/" + LABEL % (i - 1)
        into = [assertion("c2pa.ingredient.v3" + ("__%d" % n if n else ""), {"relationship": "componentOf", "dc:title": "x", "activeManifest": {"url": below, "hash": digest}}) for n in range(fan)]
        made.append(manifest(into + [ACTIONS, binding()], label=LABEL % i))
    return carried(store(*made))

def cases():
    big = bytes(1 << 20)
    yield "dimensions.png", lambda: png(65535, 65535, 16, 6)
    yield "dimensions-full.png", lambda: png(30000, 30000, 8, 2, pixels=zeros(30000 * 90001))
    yield "dimensions-interlaced.png", lambda: png(20000, 20000, 8, 6, 1, pixels=zeros(200 << 20))
    yield "dimensions-grey.png", lambda: png(65535, 16384, 1, 0, pixels=zeros(16384 * 8193))
    yield "idats-empty.png", lambda: png(before=b"", after=chunk(b"IDAT") * 250000)
    yield "chunks.png", lambda: png(after=chunk(b"tEXt", b"a\0b") * 250000)
    yield "chunks-too-many.png", lambda: png(after=chunk(b"teXt") * 1200000)
    yield "ztxt-bomb.png", lambda: png(before=chunk(b"zTXt", b"parameters\0\0" + zeros(1 << 30)))
    yield "ztxt-bombs.png", lambda: png(before=chunk(b"zTXt", b"a\0\0" + zeros(8 << 20)) * 1000)
    yield "itxt-bombs.png", lambda: png(before=chunk(b"iTXt", b"a\0\1\0\0\0" + zeros(8 << 20)) * 1000)
    yield "iccp-bomb.png", lambda: png(before=chunk(b"iCCP", b"a\0\0" + zeros(1 << 30)))
    yield "json-deep.png", lambda: png(before=chunk(b"tEXt", b"prompt\0" + b'{"a":' * 100000))
    yield "json-wide.png", lambda: png(before=chunk(b"tEXt", b"prompt\0{" + b",".join(b'"%d":{"class_type":"KSampler","inputs":{"positive":["%d",0]}}' % (i, i + 1) for i in range(60000)) + b"}"))
    yield "parameters-long.png", lambda: png(before=chunk(b"tEXt", b"parameters\0" + b"Steps: 1, Seed: 2, " * 400000))
    yield "xmp-properties.png", lambda: png(before=text_of_xmp(xmp("".join("<a:p%d>1</a:p%d>" % (i, i) for i in range(100000)))))
    yield "xmp-attributes.png", lambda: png(before=text_of_xmp(b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:a="http://example.org/a/" ' + b" ".join(b'a:p%d="1"' % i for i in range(100000)) + b"/></rdf:RDF></x:xmpmeta>"))
    yield "xmp-namespaces.png", lambda: png(before=text_of_xmp(xmp("".join('<n%d:p xmlns:n%d="http://example.org/%d/">1</n%d:p>' % (i, i, i, i) for i in range(50000)))))
    yield "xmp-items.png", lambda: png(before=text_of_xmp(xmp("<a:p><rdf:Bag>" + "<rdf:li>x</rdf:li>" * 400000 + "</rdf:Bag></a:p>")))
    yield "xmp-deep.png", lambda: png(before=text_of_xmp(xmp('<a:p rdf:parseType="Resource">' * 100000 + "</a:p>" * 100000)))
    yield "xmp-entities.png", lambda: png(before=text_of_xmp(xmp("<a:p>&j;</a:p>", '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + "".join('<!ENTITY %s "%s">' % (c, "&%s;" % p * 10) for p, c in zip("abcdefghi", "bcdefghij")) + "]>")))
    yield "xmp-bomb.png", lambda: png(before=text_of_xmp(xmp("<a:p>" + "a" * (30 << 20) + "</a:p>"), True))
    yield "xmp-languages.png", lambda: png(before=text_of_xmp(xmp("<a:p><rdf:Alt>" + "".join('<rdf:li xml:lang="x-%d">x</rdf:li>' % i for i in range(50000)) + "</rdf:Alt></a:p>")))
    yield "exif-entries.png", lambda: png(before=chunk(b"eXIf", exif([(0x9286, 7, 4, 0)] * 65535)))
    yield "exif-big-entries.png", lambda: png(before=chunk(b"eXIf", exif([(0x9286, 7, 7 << 20, 8)] * 2000, bytes(7 << 20))))
    yield "exif-loop.png", lambda: png(before=chunk(b"eXIf", exif([(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)] * 100)))
    yield "exif-chunks.png", lambda: png(before=chunk(b"eXIf", exif([(0x9286, 7, 4, 0)] * 600)) * 1000)
    # manifests
    yield "manifest-zeros.png", lambda: carried(bytes(23 << 20))
    yield "boxes.png", lambda: carried(super_("c2pa", "c2pa", box(b"free") * 3000000))
    yield "boxes-named.png", lambda: carried(super_("c2pa", "c2pa", *[super_("c2ma", "m%d" % i) for i in range(300000)]))
    yield "boxes-deep.png", lambda: carried(deep(100000))
    yield "boxes-same-name.png", lambda: carried(super_("c2pa", "c2pa", super_("c2ma", "m") * 300000))
    yield "claim-lies.png", lambda: carried(store(super_("c2ma", LABEL % 1, super_("c2cl", "c2pa.claim.v2", box(b"cbor", b"\x9b\x00\x00\x00\xff\xff\xff\xff\xff"))))) 
    yield "claim-big.png", lambda: carried(store(manifest([ACTIONS], more={"pad": bytes(23 << 20)})))
    yield "claim-deep.png", lambda: carried(store(manifest([ACTIONS], more={"x": Raw(b"\x81" * 900000 + b"\x00")})))
    yield "claim-keys.png", lambda: carried(store(manifest([ACTIONS], more={"k%d" % i: 0 for i in range(100000)})))
    yield "claim-wide.png", lambda: carried(store(manifest([ACTIONS], more={"x": Raw(head(4, 1000000) + bytes(1000000))})))
    yield "assertion-wide.png", lambda: carried(store(manifest([ACTIONS, ("org.example.wide", super_("cbor", "org.example.wide", box(b"cbor", head(4, 20000000) + bytes(20000000))))])))
    yield "assertion-keys.png", lambda: carried(store(manifest([ACTIONS, assertion("org.example.keys", {"k%d" % i: 0 for i in range(1000000)})])))
    yield "assertion-tags.png", lambda: carried(store(manifest([ACTIONS, ("org.example.tags", super_("cbor", "org.example.tags", box(b"cbor", b"\xc1" * 20000000 + b"\0")))])))
    yield "assertion-chunks.png", lambda: carried(store(manifest([ACTIONS, ("org.example.c", super_("cbor", "org.example.c", box(b"cbor", b"\x5f" + b"\x41a" * 10000000 + b"\xff")))])))
    yield "assertions.png", lambda: carried(store(manifest([assertion("org.example.a__%d" % i, {"n": i}) for i in range(100000)])))
    yield "assertions-listed.png", lambda: carried(store(manifest([assertion("org.example.a__%d" % i, {"n": i}) for i in range(999)] + [binding()])))
    yield "assertion-listed-often.png", same_assertion_often
    yield "actions.png", lambda: carried(store(manifest([assertion("c2pa.actions.v2", {"actions": [{"action": "c2pa.opened"}] + [Raw(cbor({"action": "c2pa.edited", "parameters": {"ingredients": [{"url": "self#jumbf=c2pa.assertions/x", "hash": b""}] * 10}}))] * 40000}), binding()])))
    yield "exclusions.png", lambda: carried(store(manifest([ACTIONS, binding([{"start": 33 + 2 * i, "length": 1} for i in range(100000)])])), pixels=zlib.compress(os.urandom(4 << 20)))
    yield "exclusions-some.png", lambda: carried(store(manifest([ACTIONS, binding([{"start": 33 + 2 * i, "length": 1} for i in range(4000)])])), pixels=zlib.compress(os.urandom(4 << 20), 0))
    yield "redactions.png", lambda: carried(store(manifest([ACTIONS, binding()], more={"redacted_assertions": ["self#jumbf=/c2pa/%s/c2pa.assertions/a%d" % (LABEL % 2, i) for i in range(10000)]})))
    yield "ingredients.png", lambda: carried(store(*many_ingredients(900)))
    yield "ingredients-ladder.png", lambda: ladder(30, 12)
    yield "bindings.png", lambda: carried(store(manifest([ACTIONS] + [("c2pa.hash.data__%d" % i if i else "c2pa.hash.data", super_("cbor", "c2pa.hash.data__%d" % i if i else "c2pa.hash.data", box(b"cbor", cbor({"exclusions": [{"start": 33, "length": 100}], "name": "j", "alg": "sha256", "hash": bytes(32), "pad": b""})))) for i in range(400)])), after=chunk(b"teXt", bytes(30 << 20)))
    yield "boxes-hashed.png", lambda: carried(store(manifest([ACTIONS, assertion("c2pa.hash.boxes", {"alg": "sha256", "boxes": [Raw(cbor({"names": ["IDAT"] * 60, "alg": "sha256", "hash": bytes(32), "pad": b""}))] * 20000})])))
    yield "brotli-bomb.png", lambda: carried(store(compressed(bytes(1 << 30))))
    yield "brotli-bombs.png", lambda: carried(store(*[compressed(bytes(15 << 20), i) for i in range(64)]))
    yield "cose-padding.png", lambda: carried(store(manifest([ACTIONS, binding()], unprotected={"pad": bytes(3 << 20)})))
    yield "cose-chain.png", lambda: carried(store(manifest([ACTIONS, binding()], chain=own_chain() + [certificate()] * 1500)))
    yield "cose-long-chain.png", lambda: carried(store(manifest([ACTIONS, binding()], chain=[certificate(name=b"c%d" % i, issuer=b"c%d" % (i + 1)) for i in range(8)])))
    yield "cose-huge-keys.png", lambda: carried(store(manifest([ACTIONS, binding()], algorithm=-37, chain=[certificate(rsa_public((1 << 262144) - 1, 65537))] * 8)))
    yield "cose-odd-keys.png", lambda: carried(store(manifest([ACTIONS, binding()], algorithm=-37, chain=[certificate(rsa_public((1 << 16384) - 1, (1 << 64) - 1))] * 8)))
    yield "cose-slow-exponents.png", lambda: carried(store(manifest([ACTIONS, binding()], algorithm=-37, chain=[certificate(rsa_public((1 << 3072) - 1, (1 << 3071) + 1))] * 8)))
    yield "cose-extensions.png", lambda: carried(store(manifest([ACTIONS, binding()], chain=[certificate(extensions=b"".join(extension("1.2.3.%d" % i, b"\x05\0") for i in range(200000)))])))
    yield "cose-names.png", lambda: carried(store(manifest([ACTIONS, binding()], chain=[certificate(extensions=extension("2.5.29.17", tlv(0x30, tlv(0x82, b"a.example") * 500000)))])))
    yield "cose-policies.png", lambda: carried(store(manifest([ACTIONS, binding()], chain=chain_of_policies())))
    yield "cose-constraints.png", lambda: carried(store(manifest([ACTIONS, binding()], chain=[certificate(extensions=extension("2.5.29.30", tlv(0x30, tlv(0xA0, *[tlv(0x30, tlv(0x82, b"x%d.example" % i)) for i in range(50000)]))) + extension("2.5.29.17", tlv(0x30, *[tlv(0x82, b"y%d.example" % i) for i in range(50000)])))] * 8)))
    yield "stamps.png", lambda: carried(store(manifest([ACTIONS, binding()], unprotected={"sigTst2": {"tstTokens": [{"val": os.urandom(1000)}] * 3500}})))
    yield "answers.png", lambda: carried(store(manifest([ACTIONS, binding()], unprotected={"rVals": {"ocspVals": [os.urandom(1000)] * 3500}})))
    # JPEG and WebP
    yield "fill.jpg", lambda: jpeg(b"\xff" * (60 << 20))
    yield "segments.jpg", lambda: jpeg(segment(0xE1) * 250000)
    yield "segments-too-many.jpg", lambda: jpeg(segment(0xE1) * 2000000)
    yield "app11.jpg", lambda: jpeg(app11(store(manifest([ACTIONS, binding()])), 1) )
    yield "app11-many.jpg", lambda: jpeg(app11(super_("c2pa", "c2pa", box(b"free", bytes(200000))), 1))
    yield "comments.jpg", lambda: jpeg(segment(0xFE, b"a" * 60000) * 1000)
    yield "dimensions.jpg", lambda: jpeg(width=65500, height=65500, scans=segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + bytes(100))
    yield "dimensions-full.jpg", lambda: jpeg(width=65496, height=65496)
    yield "progressive.jpg", lambda: jpeg(width=65496, height=65496, frame=0xC2, scans=progressive(65496, 65496, 3))
    yield "scans.jpg", lambda: jpeg(width=2048, height=2048, frame=0xC2, scans=progressive(2048, 2048, 490))
    yield "scans-too-many.jpg", lambda: jpeg(width=2048, height=2048, frame=0xC2, scans=progressive(2048, 2048, 3000))
    yield "scans-empty.jpg", lambda: jpeg(width=16, height=16, frame=0xC2, scans=(segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + b"\0") * 500000)
    yield "dimensions-fair.png", lambda: png(3300, 3300, 8, 2, 1, pixels=zeros(34 << 20))
    yield "dimensions-fair.jpg", lambda: jpeg(width=4000, height=4000, frame=0xC2, scans=progressive(4000, 4000, 3))
    yield "dimensions-fair.webp", lambda: riff(part(b"VP8L", lossless(2200, 2200)))
    yield "dimensions.webp", lambda: riff(part(b"VP8L", lossless(16383, 16383)))
    yield "animation.webp", lambda: riff(vp8x(16383, 16383, 2), part(b"ANIM", bytes(6)), *[part(b"ANMF", bytes(6) + (16382).to_bytes(3, "little") * 2 + bytes(4) + part(b"VP8L", lossless(16383, 16383)))] * 20000)
    yield "chunks.webp", lambda: riff(vp8x(16, 16, 0), part(b"VP8L", lossless(16, 16)), *[part(b"junk")] * 250000)
    yield "chunks-too-many.webp", lambda: riff(vp8x(16, 16, 0), part(b"VP8L", lossless(16, 16)), *[part(b"junk")] * 2000000)
    yield "xmp.webp", lambda: riff(vp8x(16, 16, 4), part(b"VP8L", lossless(16, 16)), part(b"XMP ", xmp("".join("<a:p%d>1</a:p%d>" % (i, i) for i in range(100000)))))

def progressive(width, height, count):
    first = segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + bytes((width // 8) * (height // 8) // 8 + 1)
    again = segment(0xDA, b"\x01\x01\x00\x01\x3f\x00") + bytes((width // 8) * (height // 8) // 8 + 1)
    return first + again * (count - 1)

def deep(n):
    """Boxes within boxes."""
    heads = []
    total = (n - 1) * (8 + 8 + 16 + 1 + 2) + 35
    for i in range(n):
        heads.append(struct.pack(">I", total) + b"jumb" + box(b"jumd", uuid("c2ma"), b"\x03", b"m\0"))
        total -= 35
    return super_("c2pa", "c2pa", b"".join(heads))

def many_ingredients(count):
    below = manifest([ACTIONS, binding()], label=LABEL % 2)
    return below, manifest(ingredients(count, below) + [ACTIONS, binding()])

def compressed(data, n=1):
    return super_("c2cm", LABEL % n, box(b"brob", b"jumb" + brotli(data)))

# ---- the measure ----

def measure(*words):
    """Exit code, seconds of processor, bytes resident at most."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2): os.dup2(null, fd)
        os.execv(binary, (binary,) + words)
    _, status, use = os.wait4(child, 0)
    return status, use.ru_utime + use.ru_stime, use.ru_maxrss << 10

def probe(path, name):
    seconds = memory = 0
    worst, ends = [], []
    for words in (("verify", "--details", path), ("show", path), ("sign", path, "-o", folder + "/signed", "--force", "--accept-broken")):
        status, cpu, resident = measure(*words)
        ends.append(os.waitstatus_to_exitcode(status))
        if os.WIFSIGNALED(status) or cpu > CPU or resident > MEMORY:
            worst.append("%s: %.1f s, %d MiB%s" % (words[0], cpu, resident >> 20, ", killed by signal %d" % os.WTERMSIG(status) if os.WIFSIGNALED(status) else ""))
        seconds, memory = max(seconds, cpu), max(memory, resident)
    print("%s %s (%.2f s, %d MiB, %d bytes; exit %s)%s" % ("not ok" if worst else "ok", name, seconds, memory >> 20, os.path.getsize(path), ends, ": " + "; ".join(worst) if worst else ""), flush=True)
    return not worst

only = sys.argv[4:]
good = True
own_chain()  # read once, not by each child
for name, make in cases():
    if only and name not in only:
        continue
    path = os.path.join(folder, name)
    child = os.fork()  # what making it takes must not count as the reader's
    if child == 0:
        with open(path, "wb") as file:
            file.write(make())
        os._exit(0)
    os.waitpid(child, 0)
    good &= probe(path, name)
    os.remove(path)
for target in ("exif", "image", "jpeg", "png", "store", "verify", "webp"):
    for name in sorted(os.listdir(os.path.join(corpus, target))) if not only else ():
        good &= probe(os.path.join(corpus, target, name), target + "/" + name)
sys.exit(not good)
