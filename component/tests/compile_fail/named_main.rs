use portcullis_component::{Env, component};

#[component]
fn main(_: Env) {}
