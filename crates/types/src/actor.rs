//! The actor of a change: the caller's kind and subject, as records name it. Request ids are unique per actor.

use std::fmt;

/// The kind of principal that an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// A person.
    Person,
    /// A program of the distributor or a customer.
    Application,
    /// An outside party's system.
    Partner,
    /// A service of the mesh.
    Service,
}

/// Who did something: `person:jane`. Made from a kind and a subject only, so that two kinds cannot share a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    name: String,
}

impl Actor {
    /// The actor of this kind with this subject.
    pub fn new(kind: ActorKind, subject: &str) -> Self {
        Self { name: format!("{kind}:{subject}") }
    }

    /// A service of the mesh acting on its own behalf.
    pub fn service(name: &str) -> Self {
        Self::new(ActorKind::Service, name)
    }

    /// The kind and the subject, separated by a colon.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for ActorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Person => "person",
            Self::Application => "application",
            Self::Partner => "partner",
            Self::Service => "service",
        })
    }
}
