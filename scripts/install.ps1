# Installs trustfix for the current user from a release source, or takes it
# away again. Windows PowerShell 5.1 and PowerShell 7.
#
# Everything is inside functions and the last line calls them: a download that
# was cut short runs nothing. What is installed is what the release key signed:
# the manifest's minisign signature is checked with the minisign program where
# it is installed; PowerShell itself cannot check Ed25519, so without it the
# manifest's SHA-256 is printed for you to compare on another machine, and
# nothing is installed until you confirm it. Then the archive's size and SHA-256
# are checked. TLS is not part of that argument, so a mirror or a directory
# copied from another machine is as good as the release page; nothing here
# switches certificate verification off.
#
#   .\install.ps1 [-Source URL | -FromDir DIR] [-Version X] [-Prefix DIR] [-Key KEY] [-ManifestSha256 SUM]
#   .\install.ps1 -Uninstall [-Prefix DIR] [-Purge]
#
# The release job fills in the two lines below; both can be given by hand.
[CmdletBinding()]
param(
    [string]$Source = $(if ($env:TRUSTFIX_RELEASES) { $env:TRUSTFIX_RELEASES } else { '@RELEASES@' }),
    [string]$Key = $(if ($env:TRUSTFIX_KEYS) { $env:TRUSTFIX_KEYS } else { '@KEYS@' }),
    [string]$FromDir,
    [string]$Version,
    [string]$Prefix = (Join-Path $env:LOCALAPPDATA 'Programs\trustfix'),
    [string]$ManifestSha256 = $env:TRUSTFIX_MANIFEST_SHA256,
    [switch]$Uninstall,
    [switch]$Purge
)

function Get-ReleaseFile([string]$Name, [string]$Path, [long]$Limit) {
    if ($FromDir) {
        Copy-Item -LiteralPath (Join-Path $FromDir $Name) -Destination $Path
    }
    else {
        $url = $Source.TrimEnd('/') + '/' + $Name
        if ($url -notlike 'https://*') { throw "$url is not https" }
        Save-Url $url $Path $Limit
    }
    $size = (Get-Item -LiteralPath $Path).Length
    if ($size -gt $Limit) { throw "$Name has $size bytes, at most $Limit were expected" }
}

# Save-Url follows redirects itself, since the client would also follow one to
# http, and stops at the limit.
function Save-Url([string]$Url, [string]$Path, [long]$Limit) {
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
    $uri = [Uri]$Url
    for ($hop = 0; $hop -lt 6; $hop++) {
        if ($uri.Scheme -ne 'https') { throw "refused: redirect to $($uri.Scheme)" }
        $request = [Net.HttpWebRequest]::Create($uri)
        $request.AllowAutoRedirect = $false
        $request.Timeout = 60000
        $request.ReadWriteTimeout = 60000
        $request.UserAgent = 'trustfix-install'
        try { $response = $request.GetResponse() }
        catch {
            throw ("cannot fetch $Url : $($_.Exception.Message)`n" +
                'If the TLS of this machine is what is broken: take manifest.json, manifest.json.minisig and the archive ' +
                'from another machine and use -FromDir (nothing needs to be switched off).')
        }
        try {
            $code = [int]$response.StatusCode
            if ($code -ge 300 -and $code -lt 400) {
                $uri = [Uri]::new($uri, $response.Headers['Location'])
                continue
            }
            $in = $response.GetResponseStream()
            $out = [IO.File]::Open($Path, 'Create')
            try {
                $buffer = New-Object byte[] 65536
                $total = 0
                while (($n = $in.Read($buffer, 0, $buffer.Length)) -gt 0) {
                    $total += $n
                    if ($total -gt $Limit) { throw "$Url is larger than $Limit bytes" }
                    $out.Write($buffer, 0, $n)
                }
            }
            finally { $out.Dispose() }
            return
        }
        finally { $response.Dispose() }
    }
    throw "$Url : too many redirects"
}

function Get-Sum([string]$Path) { (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash.ToLowerInvariant() }

# Test-Signature runs minisign. Windows PowerShell 5.1 takes what a program writes
# to stderr for a terminating error while the preference is Stop: a signature by
# the second key would never be looked at.
function Test-Signature([string]$Minisign, [string]$Path, [string]$One) {
    $ErrorActionPreference = 'Continue'
    & $Minisign -V -H -q -m $Path -P $One *> $null
    return $LASTEXITCODE -eq 0
}

function Confirm-Manifest([string]$Path) {
    $minisign = Get-Command minisign -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($minisign) {
        foreach ($k in $Key -split ',') {
            if (Test-Signature $minisign.Source $Path $k.Trim()) { return 'signature and checksums verified' }
        }
        throw "the manifest's signature is not by the release key: nothing was installed. Either the mirror is out of order or somebody is tampering; try another source."
    }
    $sum = Get-Sum $Path
    if ($ManifestSha256 -and $ManifestSha256.ToLowerInvariant() -eq $sum) { return 'checksums verified; the signature was confirmed by you' }
    throw @"
minisign is not installed, so the signature cannot be checked on this machine. Check it on another one:
  minisign -Vm manifest.json -P $(($Key -split ',')[0])
and compare there the SHA-256 of manifest.json:
  $sum
Then run this again with -ManifestSha256 and the sum you confirmed (or: winget install jedisct1.minisign).
"@
}

function Get-Architecture {
    # A 32-bit PowerShell on a 64-bit system says so in the second variable.
    $arch = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
    switch ($arch) {
        'AMD64' { 'amd64' }
        'ARM64' { 'arm64' }
        default { throw "there is no release for $arch" }
    }
}

function Expand-Program([string]$Archive, [string]$Path) {
    Add-Type -AssemblyName System.IO.Compression.FileSystem
    $zip = [IO.Compression.ZipFile]::OpenRead($Archive)
    try {
        $found = @($zip.Entries | Where-Object { $_.FullName -eq 'trustfix.exe' })
        if ($found.Count -ne 1) { throw 'the archive does not hold exactly one trustfix.exe' }
        [IO.Compression.ZipFileExtensions]::ExtractToFile($found[0], $Path)
    }
    finally { $zip.Dispose() }
}

# Test-Older compares two versions; what follows a - is passed over, and what is
# no version is older than none.
function Test-Older([string]$One, [string]$Other) {
    $a = ($One -replace '-.*') -as [version]
    $b = ($Other -replace '-.*') -as [version]
    return ($a -and $b -and $a -lt $b)
}

# Get-Installed is the version that is installed, or nothing.
function Get-Installed([string]$Target) {
    if (-not (Test-Path -LiteralPath $Target)) { return '' }
    try { return ([string](& $Target version)) -replace '^trustfix ' } catch { return '' }
}

function Install-Trustfix([string]$Work) {
    if (-not $Source -and -not $FromDir) { throw 'no release source: -Source URL, -FromDir DIR or TRUSTFIX_RELEASES' }
    if (-not $Key) { throw 'no release key: -Key KEY or TRUSTFIX_KEYS (it stands in the README and in SECURITY.md)' }
    $arch = Get-Architecture
    $manifestFile = Join-Path $Work 'manifest.json'
    Get-ReleaseFile 'manifest.json' $manifestFile 1MB
    Get-ReleaseFile 'manifest.json.minisig' "$manifestFile.minisig" 4KB
    $checked = Confirm-Manifest $manifestFile

    $manifest = Get-Content -LiteralPath $manifestFile -Raw -Encoding UTF8 | ConvertFrom-Json
    if ($manifest.product -ne 'trustfix') { throw "this manifest is not trustfix's" }
    if ($Version -and $Version.TrimStart('v') -ne $manifest.version) { throw "the source has version $($manifest.version), not $Version" }
    if (@($manifest.revoked) -contains $manifest.version) { throw "version $($manifest.version) was revoked" }
    $name = "trustfix_$($manifest.version)_windows_$arch.zip"
    $asset = @($manifest.assets | Where-Object { $_.name -eq $name -and $_.os -eq 'windows' -and $_.arch -eq $arch })
    if ($asset.Count -ne 1) { throw "version $($manifest.version) has no archive for windows $arch" }

    $archive = Join-Path $Work 'archive.zip'
    Get-ReleaseFile $name $archive $asset[0].size
    if ((Get-Item -LiteralPath $archive).Length -ne $asset[0].size) { throw "$name is not $($asset[0].size) bytes long" }
    if ((Get-Sum $archive) -ne $asset[0].sha256) { throw "$name is not what the release key signed" }
    $program = Join-Path $Work 'trustfix.exe'
    Expand-Program $archive $program
    if ((Get-Sum $program) -ne $asset[0].binarySha256) { throw "the program in $name is not what the release key signed" }
    $says = & $program version
    if ($LASTEXITCODE -ne 0 -or $says -ne "trustfix $($manifest.version)") { throw "the program says it is `"$says`", the manifest says $($manifest.version)" }

    New-Item -ItemType Directory -Force -Path $Prefix | Out-Null
    $target = Join-Path $Prefix 'trustfix.exe'
    # Who serves releases must not be able to bring an old one back.
    $had = Get-Installed $target
    if (-not $Version -and (Test-Older $manifest.version $had)) {
        throw "$target is $had, newer than $($manifest.version); -Version $($manifest.version) puts the older one there"
    }
    $new = Join-Path $Prefix '.trustfix.new'
    Copy-Item -LiteralPath $program -Destination $new -Force
    # Beside the target, then a rename; one that runs can be moved aside.
    if (Test-Path -LiteralPath $target) { Move-Item -LiteralPath $target -Destination "$target.prev" -Force }
    try { Move-Item -LiteralPath $new -Destination $target -Force }
    catch {
        if (Test-Path -LiteralPath "$target.prev") { Move-Item -LiteralPath "$target.prev" -Destination $target -Force }
        throw
    }
    $path = [Environment]::GetEnvironmentVariable('Path', 'User')
    if (($path -split ';') -notcontains $Prefix) {
        [Environment]::SetEnvironmentVariable('Path', ((@($path -split ';') + $Prefix | Where-Object { $_ }) -join ';'), 'User')
        Write-Output "added $Prefix to your Path; open a new terminal"
    }
    Write-Output "installed $target $($manifest.version) ($checked)"
    Write-Output 'next:  trustfix'
}

function Uninstall-Trustfix {
    $target = Join-Path $Prefix 'trustfix.exe'
    if (-not (Test-Path -LiteralPath $target)) { throw "$target is not there" }
    # A task must not go on calling what is gone.
    $ErrorActionPreference = 'Continue'
    & $target schedule remove *> $null
    $ErrorActionPreference = 'Stop'
    foreach ($file in $target, "$target.prev") {
        if (Test-Path -LiteralPath $file) { Remove-Item -LiteralPath $file }
    }
    $path = [Environment]::GetEnvironmentVariable('Path', 'User')
    [Environment]::SetEnvironmentVariable('Path', ((@($path -split ';') | Where-Object { $_ -and $_ -ne $Prefix }) -join ';'), 'User')
    Write-Output "removed $target"
    # What was repaired with an administrator's rights is remembered elsewhere.
    foreach ($base in $env:LOCALAPPDATA, $env:ProgramData) { Remove-State (Join-Path $base 'trustfix') }
}

function Remove-State([string]$state) {
    if (-not (Test-Path -LiteralPath $state)) { return }
    $remove = $Purge
    if (-not $remove -and [Environment]::UserInteractive -and -not [Console]::IsInputRedirected) {
        $remove = (Read-Host "Remove $state too? It holds the way back from every repair. [y/N]") -match '^(y|yes)$'
    }
    if ($remove) {
        Remove-Item -LiteralPath $state -Recurse -Force
        Write-Output "removed $state"
    }
    else { Write-Output "kept $state (the way back from every repair); -Purge removes it" }
}

function Invoke-Main {
    $ErrorActionPreference = 'Stop'
    if ($Source -like '@*') { $script:Source = '' }
    if ($Key -like '@*') { $script:Key = '' }
    if ($Uninstall) { Uninstall-Trustfix; return }
    $work = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
    New-Item -ItemType Directory -Path $work | Out-Null
    try { Install-Trustfix $work }
    finally { Remove-Item -LiteralPath $work -Recurse -Force -ErrorAction SilentlyContinue }
}

Invoke-Main
