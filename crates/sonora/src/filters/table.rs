//! What a node of Lavalink 4 can do to a sound, and within which limits.

use std::fmt;

/// The filters whose value is an object of numbers.
pub(super) const FILTERS: &[Filter] = &[
    Filter {
        name: "karaoke",
        off: Off::Never,
        parameters: &[
            any("level", 1.0),
            any("monoLevel", 1.0),
            any("filterBand", 220.0),
            any("filterWidth", 100.0),
        ],
    },
    Filter {
        name: "timescale",
        off: Off::AtDefaults,
        parameters: &[
            within("speed", 1.0, Range::Above(0.0)),
            within("pitch", 1.0, Range::Above(0.0)),
            within("rate", 1.0, Range::Above(0.0)),
        ],
    },
    Filter {
        name: "tremolo",
        off: Off::AtMost("depth", 0.0),
        parameters: &[
            within("frequency", 2.0, Range::Above(0.0)),
            within("depth", 0.5, Range::AboveTo(0.0, 1.0)),
        ],
    },
    Filter {
        name: "vibrato",
        off: Off::AtMost("depth", 0.0),
        parameters: &[
            within("frequency", 2.0, Range::AboveTo(0.0, 14.0)),
            within("depth", 0.5, Range::AboveTo(0.0, 1.0)),
        ],
    },
    Filter {
        name: "rotation",
        off: Off::AtDefaults,
        parameters: &[any("rotationHz", 0.0)],
    },
    Filter {
        name: "distortion",
        off: Off::AtDefaults,
        parameters: &[
            any("sinOffset", 0.0),
            any("sinScale", 1.0),
            any("cosOffset", 0.0),
            any("cosScale", 1.0),
            any("tanOffset", 0.0),
            any("tanScale", 1.0),
            any("offset", 0.0),
            any("scale", 1.0),
        ],
    },
    Filter {
        name: "channelMix",
        off: Off::AtDefaults,
        parameters: &[
            within("leftToLeft", 1.0, Range::FromTo(0.0, 1.0)),
            within("leftToRight", 0.0, Range::FromTo(0.0, 1.0)),
            within("rightToLeft", 0.0, Range::FromTo(0.0, 1.0)),
            within("rightToRight", 1.0, Range::FromTo(0.0, 1.0)),
        ],
    },
    Filter {
        name: "lowPass",
        off: Off::AtMost("smoothing", 1.0),
        parameters: &[within("smoothing", 20.0, Range::Above(1.0))],
    },
];

/// The filter whose value is a number.
pub(super) const VOLUME: Parameter = within("volume", 1.0, Range::FromTo(0.0, 5.0));
/// The filter whose value is a list of bands.
pub(super) const EQUALIZER: &str = "equalizer";
/// How much a band of the equalizer is raised.
pub(super) const GAIN: Parameter = within("gain", 0.0, Range::FromTo(LEAST_GAIN, MOST_GAIN));
pub(super) const LEAST_GAIN: f64 = -0.25;
pub(super) const MOST_GAIN: f64 = 1.0;
/// The last band of the equalizer; the first is 0.
pub(super) const LAST_BAND: u64 = 14;
/// The filter whose value is what plugins of the node understand.
pub(super) const PLUGINS: &str = "pluginFilters";

pub(super) struct Filter {
    pub(super) name: &'static str,
    pub(super) off: Off,
    pub(super) parameters: &'static [Parameter],
}

/// When a filter that was given changes nothing.
pub(super) enum Off {
    /// It is heard even with nothing but defaults.
    Never,
    AtDefaults,
    /// Where that parameter is at most that.
    AtMost(&'static str, f64),
}

#[derive(Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) default: f64,
    pub(super) range: Range,
}

#[derive(Clone, Copy)]
pub(super) enum Range {
    Any,
    Above(f64),
    AboveTo(f64, f64),
    FromTo(f64, f64),
}

const fn any(name: &'static str, default: f64) -> Parameter {
    within(name, default, Range::Any)
}

const fn within(name: &'static str, default: f64, range: Range) -> Parameter {
    Parameter {
        name,
        default,
        range,
    }
}

impl Range {
    pub(super) fn holds(self, value: f64) -> bool {
        match self {
            Self::Any => value.is_finite(),
            Self::Above(low) => value > low && value.is_finite(),
            Self::AboveTo(low, high) => value > low && value <= high,
            Self::FromTo(low, high) => (low..=high).contains(&value),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("a finite number"),
            Self::Above(low) => write!(f, "a number above {low}"),
            Self::AboveTo(low, high) => write!(f, "a number above {low} and up to {high}"),
            Self::FromTo(low, high) => write!(f, "a number from {low} to {high}"),
        }
    }
}

impl Filter {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        FILTERS.iter().find(|filter| filter.name == name)
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }
}

/// The names of all filters.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let own = FILTERS.iter().map(|filter| filter.name);
    [VOLUME.name, EQUALIZER]
        .into_iter()
        .chain(own)
        .chain([PLUGINS])
}
