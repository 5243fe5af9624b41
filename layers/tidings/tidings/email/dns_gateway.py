"""DNS, as far as senders need it: TXT records of names that are public anyway."""

from __future__ import annotations

from tidings.core.settings import Settings
from tidings.email.sender_model import Texts

# Whoever waits for the answer looks at the whole page of a sender; DNS mostly takes milliseconds.
LIFETIME_SECONDS = 1.5
OFF = "off"


class DnsTexts:
    """Asks the resolver of the machine. One that cannot be asked is no error: then nothing is known."""

    def texts(self, name: str) -> list[str] | None:
        """The TXT records of a name; None if DNS did not answer."""
        import dns.exception  # late: only a look at a sender needs it
        import dns.resolver

        try:
            found = dns.resolver.Resolver().resolve(f"{name}.", "TXT", lifetime=LIFETIME_SECONDS, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError):
            return None
        return [b"".join(record.strings).decode("ascii", "replace") for record in found]


class NoTexts:
    """Nobody is asked: the local system stays on this machine."""

    def texts(self, name: str) -> list[str] | None:
        """None: it is not known."""
        return None


def dns_of(settings: Settings) -> Texts:
    """DNS, unless the setting DNS_LOOKUPS is `off`."""
    return NoTexts() if settings.values.get("DNS_LOOKUPS") == OFF else DnsTexts()
