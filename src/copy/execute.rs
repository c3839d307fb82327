use super::unpack::open;
use super::{CopyError, Have, Plan, Sink, Source};
use crate::event::{Events, Outcome, TaskKind};

/// Does what the plan says.
pub fn execute(plan: &Plan, source: &dyn Source, mut sink: Box<dyn Sink>, events: &Events) -> Result<(), CopyError> {
    sink.begin(plan)?;
    for blob in plan.blobs.iter().filter(|blob| blob.have == Have::Absent) {
        let task = events.task(TaskKind::Copy, blob.descriptor.digest.to_string(), Some(blob.descriptor.size));
        let file = source.file(&blob.descriptor).filter(|_| blob.packed.is_none());
        let taken = match file {
            Some(file) => sink.take_file(&blob.descriptor, &file, &mut |done| task.progress(done))?,
            None => false,
        };
        if !taken {
            let mut content = open(source, blob)?;
            sink.take_blob(&blob.descriptor, &mut content, &mut |done| task.progress(done))?;
        }
        task.finish(Outcome::Done);
    }
    for (descriptor, bytes) in &plan.manifests {
        sink.take_manifest(descriptor, bytes)?;
    }
    sink.finish(&plan.roots)
}
