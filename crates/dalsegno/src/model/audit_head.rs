//! The end of the audit log, to be kept elsewhere.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The number of a row of the audit log, and what chains it to all before it. Whoever keeps it elsewhere can tell later
/// whether the log up to there is as it was: `12:3f5c…`, with 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    pub(crate) number: i64,
    pub(crate) link: [u8; 32],
}

impl AuditHead {
    /// The number of the row.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.number
    }
}

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.number)?;
        self.link
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for AuditHead {
    type Err = Error;

    /// # Errors
    /// `InvalidInput` for what is none.
    fn from_str(text: &str) -> Result<Self> {
        let odd = || {
            // What was given may be a secret that was meant for something else.
            Error::invalid(
                "this is no head of an audit log: a number, a colon and 64 hexadecimal digits, as `audit head` prints it",
            )
        };
        let (number, digits) = text.trim().split_once(':').ok_or_else(odd)?;
        let number = number.parse().ok().filter(|number| *number > 0);
        let mut link = [0; 32];
        if digits.len() != 2 * link.len() || !digits.is_ascii() {
            return Err(odd());
        }
        for (at, byte) in link.iter_mut().enumerate() {
            let pair = digits.get(2 * at..2 * at + 2);
            // A sign would do for a number.
            let pair = pair.filter(|pair| pair.bytes().all(|it| it.is_ascii_hexdigit()));
            let read = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            *byte = read.ok_or_else(odd)?;
        }
        Ok(Self {
            number: number.ok_or_else(odd)?,
            link,
        })
    }
}

impl serde::Serialize for AuditHead {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_shown() {
        let mut link = [0; 32];
        (link[0], link[31]) = (0x3f, 0xe1);
        let head = AuditHead { number: 12, link };
        let shown = head.to_string();
        assert!(shown.starts_with("12:3f00") && shown.ends_with("00e1"));
        assert_eq!(shown.parse::<AuditHead>().unwrap(), head);
        for bad in [
            "",
            "12",
            "0:00",
            ":",
            "12:3f",
            &shown.replace('3', "+"),
            &shown.replace("12", "-1"),
        ] {
            assert!(bad.parse::<AuditHead>().is_err(), "{bad}");
        }
    }
}
