//! The few colours there are. They are left out where the output is no terminal, or `NO_COLOR` is
//! set.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A heading.
pub(crate) fn head(text: impl Display) -> String {
    paint(HEAD, text)
}

/// Something that matters less.
pub(crate) fn faint(text: impl Display) -> String {
    paint(FAINT, text)
}

/// Something that is as it should be.
pub(crate) fn good(text: impl Display) -> String {
    paint(GOOD, text)
}

/// Something that is not.
pub(crate) fn bad(text: impl Display) -> String {
    paint(BAD, text)
}

/// Something that came.
pub(crate) fn added(text: impl Display) -> String {
    paint(AnsiColor::Green.on_default(), text)
}

/// Something that went.
pub(crate) fn removed(text: impl Display) -> String {
    paint(AnsiColor::Red.on_default(), text)
}

/// Something that is another.
pub(crate) fn changed(text: impl Display) -> String {
    paint(AnsiColor::Yellow.on_default(), text)
}

/// Something that stands elsewhere.
pub(crate) fn moved(text: impl Display) -> String {
    paint(AnsiColor::Cyan.on_default(), text)
}
