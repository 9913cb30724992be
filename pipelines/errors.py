"""Every error that huntlake raises on purpose.

    HuntlakeError
    ├── SettingsError            settings missing or contradictory, all named at once
    ├── HuntFileError            a catalogue file that can't be read, with file and line
    ├── HuntNotFound             no hunt of that name in the catalogue
    ├── TenantsFileError         the tenants file, or an entry of it, is wrong, with file and line
    ├── TenantNotFound           no tenant of that name, or several and none was named
    ├── SurfaceRetired           the surface has stopped working; says how to go on with graph
    ├── RetentionTooShort        a hunt's retention would remove what the service still has
    ├── HuntNotInLake            nothing of a hunt of that name has landed
    ├── SqlError                 a statement that DuckDB refused, or that would change the lake
    ├── KqlError                 a query that can't be read, or not be restricted to a window
    │   ├── KqlNeedsService      what a query asks for is the service's, and not in the lake
    │   ├── KqlUnsupported       a construct that can't be run over the lake; says which and where
    │   └── KqlUnresolved        a table or a column that the lake doesn't have
    ├── ApiError                 the service or the way to it said no
    │   ├── SignInError          no token could be had
    │   │   └── SignInUnavailable  the sign-in service could not be reached, or failed: passing
    │   ├── Unauthorized         401: the token was refused
    │   ├── Forbidden            403: a permission is missing
    │   ├── QueryRejected        400: the query itself is wrong for this tenant
    │   ├── Throttled            429: a quota is used up; says until when
    │   ├── TooMuchForOneCall    the answer must be split
    │   │   ├── ResultTooLarge   400: more bytes than one response may hold
    │   │   ├── QueryTooHeavy    400: more CPU or memory than one call may use
    │   │   └── CallTimedOut     408, 504, or no answer within the read time-out
    │   ├── ServiceUnavailable   500, 502, 503: passing
    │   ├── ConnectionFailed     the connection could not be made, or broke
    │   └── UnexpectedResponse   anything the contract does not name
    ├── LandingError
    │   ├── MalformedResponse    the body is not a whole, well-formed answer
    │   ├── SchemaChanged        a column changed its type within one partition
    │   ├── SchemaClash          a column is not what it is in the hunt's other partitions
    │   ├── PartitionUnsound     a committed file is not what its receipt proves
    │   └── LakeUnwritable       a file could not be written; what was committed is unharmed
    └── ExportError
        ├── PartitionRefused     the window can't be exported: not over yet, ...
        │   └── PartitionExpired past the horizon: the service has its data no more
        ├── CannotSplit          an answer at a cap that slicing may not divide
        ├── RowsMissing          fewer rows came than the service had counted
        └── SliceFailed          a call failed for good; says which hunt, window and slice

What belongs here: the classes, and what each carries. What does not: deciding which one a response
is (``api``), or what to do about it (``export``).
"""


class HuntlakeError(Exception):
    """The base of all: the message says what happened, to what, and what to do next."""


class SettingsError(HuntlakeError):
    """Settings are missing or contradict each other."""


class HuntFileError(HuntlakeError):
    """A file of the hunt catalogue is wrong."""


class HuntNotFound(HuntlakeError):
    """The catalogue has no hunt of that name."""


class TenantsFileError(HuntlakeError):
    """The tenants file, or an entry of it, is wrong."""


class TenantNotFound(HuntlakeError):
    """There is no tenant of that name, or there are several and none was named."""


class SurfaceRetired(HuntlakeError):
    """Microsoft has ended the surface that a hunt would be asked through."""


class RetentionTooShort(HuntlakeError):
    """A hunt's retention would remove partitions that the service still has."""


class HuntNotInLake(HuntlakeError):
    """The lake has nothing of a hunt of that name."""


class SqlError(HuntlakeError):
    """A statement is no SQL, names what is not there, or would change the lake."""


class KqlError(HuntlakeError):
    """A query can't be read, or can't be restricted to a window."""


class KqlNeedsService(KqlError):
    """The query asks for what the service alone can say; ``construct`` is what."""

    def __init__(self, message: str, construct: str) -> None:
        super().__init__(message)
        self.construct = construct


class KqlUnsupported(KqlError):
    """The query has a construct that can't be run over the lake; ``construct`` is which."""

    def __init__(self, message: str, construct: str) -> None:
        super().__init__(message)
        self.construct = construct


class KqlUnresolved(KqlError):
    """The query reads a table or a column that the lake doesn't have."""


class ApiError(HuntlakeError):
    """The service, or the way to it, refused or failed one call.

    ``status`` is the HTTP status, ``code`` the service's own code and ``request_id`` the id that
    Microsoft's support asks for; each is None where the failure had none.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id


class SignInError(ApiError):
    """No token could be had from the sign-in service."""


class SignInUnavailable(SignInError):
    """The sign-in service could not be reached, or failed in a way that passes."""


class Unauthorized(ApiError):
    """The service refused the token (401)."""


class Forbidden(ApiError):
    """The application lacks a permission (403)."""


class QueryRejected(ApiError):
    """The query is wrong for this tenant (400): a syntax, a column, a table or a licence."""


class Throttled(ApiError):
    """A quota of the tenant is used up (429).

    ``retry_after_seconds`` is how long the service asks to wait, ``quota`` which quota it names:
    ``"calls"``, ``"running time"`` or ``"unknown"``.
    """

    def __init__(  # noqa: PLR0913 - its parent's three, by name, and its own two
        self,
        message: str,
        *,
        retry_after_seconds: float,
        quota: str,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, request_id=request_id)
        self.retry_after_seconds = retry_after_seconds
        self.quota = quota


class TooMuchForOneCall(ApiError):
    """One call can't answer this; a smaller slice can."""


class ResultTooLarge(TooMuchForOneCall):
    """The answer has more bytes than one response may hold."""


class QueryTooHeavy(TooMuchForOneCall):
    """The query needs more CPU or memory than one call may use."""


class CallTimedOut(TooMuchForOneCall):
    """The call took longer than the service, or we, allow. Its running time is spent."""


class ServiceUnavailable(ApiError):
    """The service failed in a way that passes (500, 502, 503)."""


class ConnectionFailed(ApiError):
    """The connection could not be made, or broke before the answer was whole."""


class UnexpectedResponse(ApiError):
    """The service answered with something that the contract does not name."""


class LandingError(HuntlakeError):
    """An answer could not be turned into a file."""


class MalformedResponse(LandingError):
    """The body is not a whole, well-formed answer. ``request_id`` as of an ``ApiError``."""

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.request_id = request_id


class SchemaChanged(LandingError):
    """A column's type differs between two answers that belong to one partition."""


class SchemaClash(LandingError):
    """A column would not be what it is in the hunt's other partitions, and one view spans all."""


class PartitionUnsound(LandingError):
    """A committed file is not what its receipt proves: it was damaged, or is not ours."""


class LakeUnwritable(LandingError):
    """A file could not be written. Whatever was committed before is unharmed."""


class ExportError(HuntlakeError):
    """An export could not complete a partition."""


class PartitionRefused(ExportError):
    """The partition's window can't be exported now, or can't be any more."""


class PartitionExpired(PartitionRefused):
    """The partition's window reaches past the horizon: the service has forgotten it."""


class CannotSplit(ExportError):
    """An answer reached a cap and slicing may not, or can't, divide the window further."""


class RowsMissing(ExportError):
    """The service gave fewer rows of a partition than it had counted before."""


class SliceFailed(ExportError):
    """One slice failed for good; its partition is not committed and what was staged stays."""
