use portcullis_component::{Env, component};

#[component]
fn construct(_: Env) -> u32 {
    7
}
