//! Comments of the protos.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

/// Comments by file and path in the descriptor.
#[derive(Debug)]
pub(crate) struct Comments(HashMap<String, HashMap<Vec<i32>, String>>);

impl Comments {
    pub(crate) fn of(pool: &DescriptorPool) -> Self {
        let file = |file: FileDescriptor| {
            let locations = file.file_descriptor_proto().source_code_info.iter().flat_map(|info| &info.location);
            let comments = locations
                .filter_map(|location| Some((location.path.clone(), clean(location.leading_comments.as_deref()?))));
            (file.name().to_owned(), comments.collect())
        };
        Self(pool.files().map(file).collect())
    }

    /// The leading comment of the element with this path.
    pub(crate) fn get(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        self.0.get(file.name()).and_then(|comments| comments.get(path)).map_or("", String::as_str)
    }
}

fn clean(comment: &str) -> String {
    let lines: Vec<_> = comment.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect();
    lines.join("\n").trim().to_owned()
}

/// The first sentence of a comment, without the full stop.
pub(crate) fn first_sentence(comment: &str) -> String {
    let paragraph = comment.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let end = paragraph.find(". ").unwrap_or(paragraph.len());
    paragraph[..end].trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_sentence() {
        assert_eq!(first_sentence("Places an order:\nall of it. Later\nmore."), "Places an order: all of it");
        assert_eq!(first_sentence("Reads it."), "Reads it");
        assert_eq!(first_sentence(""), "");
    }

    #[test]
    fn a_comment_loses_the_space_after_its_slashes() {
        assert_eq!(clean(" One.\n   two\n\n three \n"), "One.\n  two\n\nthree");
    }
}
