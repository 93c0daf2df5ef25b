//! What units of systemd have in common: how words are written in them, and what a service of Dalsegno has no need of.

/// The settings of a service that has no network, no devices and no privileges.
pub const HARDENED: [&str; 18] = [
    "NoNewPrivileges=yes",
    "PrivateNetwork=yes",
    "PrivateDevices=yes",
    "RestrictAddressFamilies=none",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
];

/// A text in one line; `%` begins what systemd fills in.
#[must_use]
pub fn percents(text: &str) -> String {
    let one_line: String = text.chars().filter(|c| !c.is_control()).collect();
    one_line.replace('%', "%%")
}

/// A text as one word; in a command, `$` is a variable.
#[must_use]
pub fn quote(word: &str, command: bool) -> String {
    let mut quoted = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '%' => quoted.push_str("%%"),
            '$' if command => quoted.push_str("$$"),
            c if c.is_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
