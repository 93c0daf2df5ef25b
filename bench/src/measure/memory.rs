//! The most memory the process held.

use std::fs;

/// Begins a new peak (Linux only; elsewhere nothing happens).
pub fn reset_peak() {
    // Without the permission the older peak stays, which is only pessimistic.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Bytes of resident memory at the peak, where the system tells.
#[must_use]
pub fn peak() -> Option<u64> {
    status("VmHWM:")
}

/// Bytes of resident memory now, where the system tells.
#[must_use]
pub fn resident() -> Option<u64> {
    status("VmRSS:")
}

fn status(of: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with(of))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_peak_is_seen() {
        let before = peak().expect("Linux tells");
        let held = std::hint::black_box(vec![1_u8; 64 << 20]);
        assert!(peak().expect("Linux tells") >= before);
        assert!(peak().expect("Linux tells") > held.len() as u64);
    }
}
