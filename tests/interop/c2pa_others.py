# c2pa_others.py KEY.pem CERTIFICATE.pem IN.jpg OUT.jpg - has c2pie sign a picture.
import sys

from c2pie.signing import sign_file

key, certificate, source, target = sys.argv[1:]
sign_file(source, target, key, certificate)
