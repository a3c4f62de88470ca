//! Access control: which callers each method admits and which data they see, over the real stack.

mod attempts;
mod calls;
mod disclosure;
mod fields;
mod isolation;
mod kept;
mod limited;
mod parties;
mod table;
