"""Run inside Takahe: three people and tokens of theirs, one ``name token`` a line, out."""

import secrets

from api.models import Application, Token
from users.models import Domain, Identity, User

HOST = "social.example"
domain = Domain.objects.create(domain=HOST, local=True, public=True, state="updated")
app = Application.create("muster", "urn:ietf:wg:oauth:2.0:oob", None, "read write follow")
for name in ("desk", "mira", "jonas"):
    user = User.objects.create(email=f"{name}@example.org")
    who = Identity.objects.create(
        actor_uri=f"http://{HOST}/@{name}@{HOST}/",
        inbox_uri=f"http://{HOST}/@{name}@{HOST}/inbox/",
        username=name,
        name=name.title(),
        domain=domain,
        local=True,
        state="updated",
    )
    who.users.set([user])
    who.generate_keypair()
    scopes = ["read", "write", "follow"]
    secret = secrets.token_hex(16)
    Token.objects.create(application=app, user=user, identity=who, token=secret, scopes=scopes)
    print(name, secret)
