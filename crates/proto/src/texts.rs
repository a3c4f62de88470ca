//! Visits the texts of requests, so that every one is put into one form before it is read.

/// A request, or a part of one.
pub trait Texts {
    /// Changes every text in it: fields, elements of lists, values of maps, and those of its parts.
    fn each_text(&mut self, change: fn(&mut String));

    /// The name of a text that is given, but blank, where an empty one means something else: a filter of a list, which would
    /// select everything, and an etag, which would check nothing.
    fn blank(&self, is_blank: fn(&str) -> bool) -> Option<&'static str>;
}

include!(concat!(env!("OUT_DIR"), "/texts.rs"));
