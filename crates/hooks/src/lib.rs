//! Commands and webhooks that are told of events.
