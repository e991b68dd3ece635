//! The scribe component: puts numbers into words. In the tour it is killed, and started anew.

use super::Failed;
use super::interface::Scribe;
use crate::wordcount::Counts;
use portcullis_component::{Env, Error, Opening, Sessions};

/// Runs the component.
///
/// # Errors
/// Why it has failed.
pub fn construct(env: &Env) -> Result<(), Failed> {
    env.announce::<dyn Scribe, _>(Office)?;
    Ok(())
}

struct Office;

impl Sessions<dyn Scribe> for Office {
    type Session = Clerk;

    fn create(&mut self, _: Opening<()>) -> Result<Clerk, Error> {
        Ok(Clerk)
    }
}

/// A session.
///
/// See [`Scribe`] for an example.
#[derive(Debug)]
pub struct Clerk;

impl Scribe for Clerk {
    fn sentence(&mut self, counts: Counts) -> Result<String, Error> {
        let Counts { lines, words, bytes } = counts;
        Ok(format!("{}, {}, {}", some(lines, "line"), some(words, "word"), some(bytes, "byte")))
    }
}

fn some(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
