//! Where in a state a difference is, as people write it: `queue.upcoming`, `bank["tea room"]`.

/// The way to a value, by names of members and places in lists.
#[derive(Debug, Clone, Default)]
pub(super) struct Path {
    text: String,
    /// How many steps it has.
    pub(super) depth: usize,
}

impl Path {
    /// The way on to the member `name`.
    pub(super) fn member(&self, name: &str) -> Self {
        let mut text = self.text.clone();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if !name.is_empty() && name.chars().all(plain) {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(name);
        } else {
            text.push('[');
            text.push_str(&serde_json::to_string(name).unwrap_or_default());
            text.push(']');
        }
        Self {
            text,
            depth: self.depth + 1,
        }
    }

    /// The way from an item of the list here, on which what is inside it is named.
    pub(super) fn item(&self) -> Self {
        Self {
            text: String::new(),
            depth: self.depth + 1,
        }
    }

    pub(super) fn text(&self) -> String {
        self.text.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn names_that_are_no_words_are_quoted() {
        let path = Path::default()
            .member("queue")
            .member("up coming")
            .member("x")
            .member("");
        assert_eq!(path.text(), "queue[\"up coming\"].x[\"\"]");
        assert_eq!(Path::default().member("a.b").text(), "[\"a.b\"]");
    }
}
