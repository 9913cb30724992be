-- Process events, each computed from its number alone: rows $first to $past, in order of time, with
-- $gap ticks for each. layout_data.py says what matters about them.

-- macros
-- DuckDB joins two hashes by xor: hashed again, the lots of one row have nothing in common.
CREATE MACRO lot(n, salt) AS hash(hash(n, salt));
CREATE MACRO chance(n, salt) AS (lot(n, salt) >> 11) / 9007199254740992.0;
-- The first of `size` things is seen most, the k-th a k-th as often.
CREATE MACRO ranked(n, salt, size) AS floor(pow(size, chance(n, salt)))::BIGINT - 1;
CREATE MACRO chosen(n, salt, things) AS things[1 + (lot(n, salt) % len(things))::BIGINT];
CREATE MACRO guid(n, salt) AS regexp_replace(
    md5(salt || n), '(.{8})(.{4})(.{4})(.{4})(.{12})', '\1-\2-\3-\4-\5'
);
-- Processes start in bursts of 8 on one of 2,000 devices, 64 rows from each other.
CREATE MACRO burst(n) AS (n // 512) * 64 + n % 64;
CREATE MACRO device(n) AS floor(2000 * pow(chance(burst(n), 'device'), 2))::BIGINT;
-- A device's own account has the device's number.
CREATE MACRO account(n) AS CASE
    WHEN chance(n, 'system') < 0.6 THEN device(n) ELSE 2000 + ranked(burst(n), 'account', 1500)
END;
-- The one before in its burst, or a service that has been running since before the first row.
CREATE MACRO parent(n) AS CASE
    WHEN n % 512 >= 64 THEN n - 64 ELSE -1 - (device(n) * 4 + lot(n, 'service') % 4)::BIGINT
END;
CREATE MACRO started(n) AS CASE
    WHEN n >= 0 THEN n * $gap + (lot(n, 'tick') % $gap)::BIGINT
    ELSE -(lot(n, 'tick') % 3000000000000)::BIGINT
END;
CREATE MACRO created(n) AS started(n) - 300 - (lot(n, 'late') % 100000)::BIGINT;
CREATE MACRO process(n) AS 4 + 4 * (lot(n, 'process') % 8000)::BIGINT;
-- One in fifty is a program that is seen once.
CREATE MACRO program(n) AS CASE
    WHEN chance(n, 'new') < 0.02 THEN 12000 + abs(n) ELSE ranked(n, 'program', 12000)
END;
CREATE MACRO word(k, salt) AS chosen(k, salt, [
    'update', 'host', 'service', 'agent', 'sync', 'task', 'broker', 'setup', 'helper', 'runtime',
    'monitor', 'worker', 'cache', 'policy', 'net', 'report', 'shell', 'print', 'crash', 'sense'
]);
CREATE MACRO vendor(k) AS chosen(k, 'vendor', [
    'Microsoft Corporation', 'Google LLC', 'Microsoft Corporation', 'Adobe Inc.', 'Dell Inc.',
    'Microsoft Corporation', 'Mozilla Corporation', 'Zoom Video Communications, Inc.', '', NULL
]);
CREATE MACRO folder(k) AS chosen(k, 'folder', [
    'C:\Windows\System32', 'C:\Windows\SysWOW64', 'C:\Windows\WinSxS\Temp\InFlight',
    'C:\Program Files\Common Files\microsoft shared\ClickToRun', 'C:\Program Files\WindowsApps',
    'C:\Program Files (x86)\Microsoft\Edge\Application', 'C:\Users\Public\Downloads',
    'C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.26100.7'
]);
CREATE MACRO file_name(k) AS
    word(k, 'a') || word(k, 'b') || CASE WHEN k % 3 = 0 THEN (k % 900)::VARCHAR ELSE '' END || '.exe';
CREATE MACRO command_line(n) AS '"' || folder(program(n)) || '\' || file_name(program(n)) || '"' || CASE
    WHEN chance(n, 'how') < 0.35 THEN ''
    WHEN chance(n, 'how') < 0.75 THEN
        ' --type=' || word(lot(n, 'type') % 6, 'c') || ' --lang=en-US --service-sandbox-type='
        || word(program(n), 'd') || ' --field-trial-handle=' || lot(program(n), n % 40) % 9000
        || ',i,1,262144 --mojo-platform-channel-handle=1640 /prefetch:8'
    WHEN chance(n, 'how') < 0.752 THEN
        ' -NoProfile -ExecutionPolicy Bypass -EncodedCommand ' || to_base64(encode(sha256('e' || n)))
    ELSE ' -session {' || guid(n, 'session') || '} -log "C:\Users\user' || account(n) % 500
        || '\AppData\Local\Temp\' || substr(md5('log' || n), 1, 8) || '.log" -t ' || n % 10000
END;
CREATE MACRO instant(ticks) AS make_timestamp_ns(1795132800000000000 + ticks * 100);

-- rows
WITH numbered AS (
    SELECT n, parent(n) AS p, device(n) AS d, account(n) AS a, program(n) AS k
    FROM range($first, $past) AS numbers(n)
),
programs AS (
    SELECT
        k,
        sha1('1' || k) AS sha1,
        sha256('2' || k) AS sha256,
        md5('5' || k) AS md5,
        20000 + (lot(k, 'size') % 9000000)::BIGINT AS size,
        vendor(k) AS company,
        word(k, 'p') || ' ' || word(k, 'a') AS product,
        concat_ws('.', lot(k, 'v') % 30, lot(k, 'w') % 9, lot(k, 'x') % 30000) AS version,
        file_name(k) AS file_name,
        folder(k) || '\' || file_name(k) AS path
    FROM (SELECT k FROM numbered UNION SELECT program(p) FROM numbered)
)
SELECT
    instant(started(n)) AS "Timestamp",
    sha1('device' || d) AS "DeviceId",
    'desktop-' || d || '.corp.contoso.com' AS "DeviceName",
    'ProcessCreated' AS "ActionType",
    own.file_name AS "FileName",
    own.path AS "FolderPath",
    own.sha1 AS "SHA1",
    own.sha256 AS "SHA256",
    own.md5 AS "MD5",
    own.size AS "FileSize",
    own.company AS "ProcessVersionInfoCompanyName",
    own.product AS "ProcessVersionInfoProductName",
    own.version AS "ProcessVersionInfoProductVersion",
    own.file_name AS "ProcessVersionInfoOriginalFileName",
    own.product || ' for ' || own.company AS "ProcessVersionInfoFileDescription",
    process(n) AS "ProcessId",
    command_line(n) AS "ProcessCommandLine",
    CASE WHEN chance(n, 'system') < 0.6 THEN 'System' ELSE 'Medium' END AS "ProcessIntegrityLevel",
    chosen(n, 'token', ['TokenElevationTypeDefault', 'TokenElevationTypeLimited'])
        AS "ProcessTokenElevation",
    instant(created(n)) AS "ProcessCreationTime",
    CASE WHEN a < 2000 THEN 'nt authority' ELSE 'contoso' END AS "AccountDomain",
    CASE WHEN a < 2000 THEN 'system' ELSE 'user' || a END AS "AccountName",
    CASE WHEN a < 2000 THEN 'S-1-5-18' ELSE 'S-1-5-21-1004336348-1177238915-682003330-' || a END
        AS "AccountSid",
    CASE WHEN a >= 2000 THEN 'user' || a || '@contoso.com' END AS "AccountUpn",
    CASE WHEN a >= 2000 THEN guid(a, 'account') END AS "AccountObjectId",
    CASE WHEN a < 2000 THEN 999 ELSE (lot(burst(n), 'logon') % 40000000)::BIGINT END AS "LogonId",
    CASE WHEN p < 0 OR a < 2000 THEN 'nt authority' ELSE 'contoso' END
        AS "InitiatingProcessAccountDomain",
    CASE WHEN p < 0 OR a < 2000 THEN 'system' ELSE 'user' || a END
        AS "InitiatingProcessAccountName",
    CASE WHEN p < 0 OR a < 2000 THEN 'System' ELSE 'Medium' END
        AS "InitiatingProcessIntegrityLevel",
    its.sha1 AS "InitiatingProcessSHA1",
    its.sha256 AS "InitiatingProcessSHA256",
    its.md5 AS "InitiatingProcessMD5",
    its.file_name AS "InitiatingProcessFileName",
    its.size AS "InitiatingProcessFileSize",
    its.company AS "InitiatingProcessVersionInfoCompanyName",
    its.product AS "InitiatingProcessVersionInfoProductName",
    its.version AS "InitiatingProcessVersionInfoProductVersion",
    process(p) AS "InitiatingProcessId",
    command_line(p) AS "InitiatingProcessCommandLine",
    instant(created(p)) AS "InitiatingProcessCreationTime",
    its.path AS "InitiatingProcessFolderPath",
    process(-abs(p)) AS "InitiatingProcessParentId",
    file_name(lot(p, 'old') % 30) AS "InitiatingProcessParentFileName",
    instant(started(p) - (lot(p, 'older') % 600000000)::BIGINT)
        AS "InitiatingProcessParentCreationTime",
    chosen(program(p), 'signer', ['OsVendor', 'ThirdParty', 'OsVendor'])
        AS "InitiatingProcessSignerType",
    -- Each device numbers its own reports.
    n // 500 + d * 17 AS "ReportId",
    ('{"MandatoryLabel":"S-1-16-' || 4096 * (1 + lot(n, 'label') % 4) || '","Score":'
        || (lot(n, 'score') % 100) || CASE WHEN chance(n, 'tags') < 0.3 THEN
            ',"Tags":["' || word(n, 't') || '","' || word(n, 'u') || '"],"TraceId":"'
            || guid(n, 'trace') || '"' ELSE '' END || '}')::JSON AS "AdditionalFields",
    chance(n, 'remote') < 0.01 AS "IsProcessRemoteSession",
    CASE WHEN chance(n, 'remote') < 0.01 THEN
        concat_ws('.', 10, lot(burst(n), 'b') % 4, lot(burst(n), 'c') % 256, 1 + d % 250)
    END AS "ProcessRemoteSessionIP",
    sha1('unique' || n) AS "ProcessUniqueId"
FROM numbered
JOIN programs AS own ON own.k = numbered.k
JOIN programs AS its ON its.k = program(p)
ORDER BY 1;
