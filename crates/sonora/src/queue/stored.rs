//! How a queue is stored.

use dalsegno::{DocumentBuilder, Error, ErrorKind, List, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Queue;
use crate::plain::plain;
use crate::track::Track;

impl Queue {
    /// Adds the member `queue` to a document. What has not changed since it was last written is not written again.
    ///
    /// # Errors
    /// `InvalidInput` where what is kept with a track is nested too deep.
    pub fn write<'a>(&self, document: &'a mut DocumentBuilder) -> Result<&'a mut DocumentBuilder> {
        document.object("queue", |object| {
            object
                .member("current", &self.current)?
                .list("upcoming", &self.upcoming)?
                .list("history", &self.history)?
                .member("loop_mode", &self.loop_mode)?
                .member("shuffle_enabled", &self.shuffle_enabled)?
                .member("history_limit", &self.history_limit)?;
            for (key, value) in &self.other {
                object.member(key, value)?;
            }
            Ok(object)
        })
    }

    /// The queue stored as `value`. What is missing is as in a new one; what is unknown is kept.
    ///
    /// # Errors
    /// `InvalidInput` where it is no object, or a member is of another type; it names the member.
    pub fn read(value: &Value) -> Result<Self> {
        let Value::Object(members) = value else {
            return Err(invalid(
                "the queue is no object; give one with upcoming, history …",
            ));
        };
        let mut queue = Self::default();
        for (key, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            match key.as_str() {
                // Sonora says that nothing plays by an object without members, too.
                "current" if value.as_object().is_some_and(Map::is_empty) => {}
                "current" => queue.current = Some(member(key, value)?),
                "upcoming" => queue.upcoming = tracks(key, value)?,
                "history" => queue.history = tracks(key, value)?,
                "loop_mode" => queue.loop_mode = member(key, value)?,
                "shuffle_enabled" => queue.shuffle_enabled = member(key, value)?,
                "history_limit" => queue.history_limit = member(key, value)?,
                _ => {
                    queue.other.insert(key.clone(), value.clone());
                }
            }
        }
        Ok(queue)
    }
}

fn tracks(key: &str, value: &Value) -> Result<List<Track>> {
    let Value::Array(values) = value else {
        return Err(invalid(format!("{key} of the queue is no list of tracks")));
    };
    let track = |(index, value)| member(&format!("{key}[{index}]"), value);
    values.iter().enumerate().map(track).collect()
}

fn member<T: DeserializeOwned>(key: &str, value: &Value) -> Result<T> {
    T::deserialize(value)
        .map_err(|e| invalid(format!("{key} of the queue: {}", plain(&e))).with_source(e))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::LoopMode;
    use super::super::model::{names, queue};
    use super::*;
    use serde_json::json;

    fn written(queue: &Queue) -> Value {
        let mut document = DocumentBuilder::new();
        let text = queue.write(&mut document).unwrap().finish().to_text();
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn it_is_stored_as_sonora_stores_it_and_comes_back() {
        let mut it = queue("ab", Some('c'), "de");
        it.loop_mode = LoopMode::Queue;
        it.shuffle_enabled = true;
        it.set_history_limit(7);
        it.other.insert("mood".to_owned(), json!({"calm": 1.5}));
        let stored = written(&it);
        assert_eq!(stored["queue"]["upcoming"][1]["identifier"], "e");
        assert_eq!(stored["queue"]["loop_mode"], "queue");
        let again = Queue::read(&stored["queue"]).unwrap();
        assert_eq!(names(&again), names(&it));
        assert_eq!(written(&again), stored);
    }

    #[test]
    fn an_empty_queue_has_all_its_members() {
        let expected = json!({"queue": {
            "current": null, "upcoming": [], "history": [], "loop_mode": "none", "shuffle_enabled": false,
            "history_limit": 100,
        }});
        assert_eq!(written(&Queue::default()), expected);
    }

    #[test]
    fn what_is_missing_is_as_in_a_new_one() {
        for sparse in [
            json!({}),
            json!({"current": {}, "upcoming": null, "history_limit": null}),
        ] {
            let it = Queue::read(&sparse).unwrap();
            assert_eq!(written(&it), written(&Queue::default()), "{sparse}");
        }
    }

    #[test]
    fn what_is_of_another_type_is_named() {
        for (wrong, name) in [
            (json!([]), "the queue is no object"),
            (json!({"upcoming": {}}), "upcoming of the queue"),
            (json!({"history": [{}, 7]}), "history[1] of the queue"),
            (
                json!({"loop_mode": "all"}),
                "none, track, queue or autoplay",
            ),
            (json!({"history_limit": -1}), "history_limit of the queue"),
            (json!({"current": "Song"}), "current of the queue"),
        ] {
            let error = Queue::read(&wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
