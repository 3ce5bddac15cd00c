"""What an exit code of a framework means: a short table in our own words.

Codes and phrases are those of OpenPAI's job exit specification. A cluster may run its own edition of it, so a
phrase that the cluster itself wrote counts for more than the number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Causer(StrEnum):
    """Who has to do something about it."""

    USER = "user"
    PLATFORM = "platform"
    RESOURCES = "resources"


@dataclass(frozen=True, slots=True)
class ExitCode:
    """`why` completes "failed: …"; `reason` is a sentence; `causer` is None when it cannot be told."""

    code: int
    phrase: str
    why: str
    causer: Causer | None
    reason: str
    solutions: tuple[str, ...] = ()


USER, PLATFORM, RESOURCES = Causer.USER, Causer.PLATFORM, Causer.RESOURCES

LOG = "Read the end of the job's log."
DIAGNOSTICS = "Read the diagnostics below."
RETRY = "Try again."
AGAIN = "Submit the job again."
RETRIED = "Wait: the cluster tries again by itself."
"""What RETRY becomes when the job has ended for good, and when it was retried."""

ADMIN = "If it happens again, tell the cluster's administrator."
CODE = "Correct the program."
MORE_MEMORY = "Ask for more memory per task."
SMALLER = "Use a smaller batch or a smaller model."

TABLE: tuple[ExitCode, ...] = (
    ExitCode(0, "Succeeded", "succeeded", None, ""),
    # The framework controller
    ExitCode(-100, "ConfigMapExternalDeleted", "its configuration was deleted on the cluster", PLATFORM,
             "Something other than the controller deleted the attempt's ConfigMap.", (RETRY, ADMIN)),
    ExitCode(-101, "PodExternalDeleted", "its pod was deleted on the cluster", PLATFORM,
             "Something other than the controller deleted one of the job's pods.", (RETRY, ADMIN)),
    ExitCode(-110, "ConfigMapLocalCacheCreationTimeout", "the cluster did not answer in time", PLATFORM,
             "The attempt's ConfigMap did not show up in time; the API server may be down.", (RETRY, ADMIN)),
    ExitCode(-111, "PodLocalCacheCreationTimeout", "the cluster did not answer in time", PLATFORM,
             "A pod did not show up in time; the API server may be down.", (RETRY, ADMIN)),
    ExitCode(-120, "PodCreationTransientError", "its pod could not be created for now", PLATFORM,
             "Creating a pod failed with an error that may pass.", (RETRY, ADMIN)),
    ExitCode(-200, "PodCreationPermanentError", "its pod specification is invalid", USER,
             "The cluster refused to create a pod; the job's file probably asks for something invalid.",
             (DIAGNOSTICS, "Correct the job's file.")),
    ExitCode(-210, "StopFrameworkRequested", "stopped by the user", USER, "The job was asked to stop."),
    ExitCode(-220, "FrameworkAttemptCompletion", "stopped with the rest of the job", USER,
             "The attempt as a whole had ended, so its remaining tasks were stopped."),
    ExitCode(-230, "DeleteTaskRequested", "scaled down", USER, "A task was removed by scaling the job down."),
    ExitCode(-300, "PodFailedWithoutFailedContainer", "its pod failed, none of its containers did", None,
             "The pod was ended from outside, probably by its node.", (DIAGNOSTICS, RETRY, ADMIN)),
    ExitCode(-310, "PodCreationUnknownError", "its pod could not be created", None,
             "Creating a pod failed with an error that the controller does not know.",
             (DIAGNOSTICS, RETRY, ADMIN)),
    # Kubernetes
    ExitCode(-1000, "PodEvicted", "evicted from its node", PLATFORM,
             "The node ran out of a resource and put the pod out.", (RETRY, ADMIN)),
    ExitCode(-1001, "PodNodeLost", "its node was lost", PLATFORM,
             "The node has not reported for a long time.", (RETRY, ADMIN)),
    ExitCode(-1002, "PodScheduledToInsufficientResourceNode", "its node was full", PLATFORM,
             "The pod was sent to a node that had not enough left for it.", (RETRY, ADMIN)),
    ExitCode(-1003, "PodPreemptedForCriticalPod", "it had to make room for a critical pod", PLATFORM,
             "The node needed the place for a pod of the platform.", (RETRY, ADMIN)),
    ExitCode(-1004, "PodDeadlineExceeded", "its time limit was over", USER,
             "The pod reached the deadline that was set for it.", ("Allow it more time.",)),
    ExitCode(-1005, "PodNodeAdmissionForbidden", "its node does not allow it", USER,
             "The node refused the pod, for instance because it asks for privileges.",
             ("Correct the job's file.", ADMIN)),
    ExitCode(-1006, "PodNodeAdmissionUnexpectedError", "its node refused it unexpectedly", PLATFORM,
             "The node refused the pod because of an error of its own.", (RETRY, ADMIN)),
    ExitCode(-1100, "CreateFrameworkPermanentFailed", "the cluster could not create it", USER,
             "The job was accepted, but Kubernetes refuses it; its file may be too large or invalid.",
             ("Look at the job's events and correct its file.",)),
    # The container engine
    ExitCode(-1200, "UserContainerDockerOOMKilled", "out of memory", USER,
             "The container used more memory than it had asked for, and was killed.",
             (MORE_MEMORY, "Use less memory per task, for instance with more tasks.")),
    ExitCode(-1201, "ContainerDockerCreationError", "its container could not be created", None,
             "The container engine failed to create the container.", (DIAGNOSTICS, RETRY, ADMIN)),
    ExitCode(-1202, "ContainerDockerStartCmdPermissionDenied", "its start command may not be run", PLATFORM,
             "The container engine was not allowed to run the start command.", (ADMIN,)),
    ExitCode(-1203, "ContainerDockerStartCmdNotFound", "its start command was not found", PLATFORM,
             "The container engine did not find the start command.", (ADMIN,)),
    ExitCode(-1204, "ContainerDockerStartUnknownError", "its container could not be started", None,
             "The container engine failed to start the container.", (DIAGNOSTICS, RETRY, ADMIN)),
    ExitCode(-1205, "ContainerGpuDeviceNotFoundError", "a GPU was missing on its node", PLATFORM,
             "The GPU given to the container was not there.", (RETRY, ADMIN)),
    ExitCode(-1300, "InitContainerDockerOOMKilled", "its preparation ran out of memory", PLATFORM,
             "The container that prepares the job used more memory than it may.", (RETRY, ADMIN)),
    # Hardware and signals
    ExitCode(128, "ContainerMayFailDueToGpuDeviceEccError", "probably a GPU memory fault", PLATFORM,
             "The GPU reported uncorrectable memory errors.", (RETRY, ADMIN)),
    ExitCode(130, "ContainerSigIntReceived", "interrupted (SIGINT)", PLATFORM,
             "The container was interrupted from outside.", (RETRY, ADMIN)),
    ExitCode(131, "ContainerSigQuitReceived", "told to quit (SIGQUIT)", PLATFORM,
             "The container was told to quit from outside.", (RETRY, ADMIN)),
    ExitCode(132, "ContainerSigIllReceived", "illegal instruction (SIGILL)", USER,
             "The program used an instruction that this processor does not have.",
             (LOG, "Build it for the cluster's processors.")),
    ExitCode(134, "ContainerSigAbrtReceived", "aborted (SIGABRT)", None,
             "The program, or a library that it uses, called abort().", (LOG, RETRY)),
    ExitCode(135, "ContainerSigBusReceived", "bus error (SIGBUS)", USER,
             "The program touched memory that is not there; a full /dev/shm does this too.",
             (LOG, "Ask for more shared memory.")),
    ExitCode(136, "ContainerSigFpeReceived", "arithmetic error (SIGFPE)", USER,
             "The program divided by zero or the like.", (LOG, CODE)),
    ExitCode(137, "ContainerSigKillReceived", "killed (SIGKILL)", PLATFORM,
             "The container was killed from outside, often because memory ran out.",
             (RETRY, MORE_MEMORY, ADMIN)),
    ExitCode(139, "ContainerSigSegvReceived", "segmentation fault (SIGSEGV)", None,
             "The program accessed memory that is not its own.", (LOG, CODE, ADMIN)),
    ExitCode(141, "ContainerSigPipeReceived", "broken pipe (SIGPIPE)", USER,
             "The program wrote to a pipe that nobody reads any more.", (LOG, CODE)),
    ExitCode(143, "ContainerSigTermReceived", "terminated (SIGTERM)", PLATFORM,
             "The container was terminated from outside.", (RETRY, ADMIN)),
    # The program itself, as the runtime recognises it by its output
    ExitCode(220, "UserCommandExitWithError", "its command was not found", USER,
             "The shell did not find the command that the job starts.",
             ("Check the command and the PATH in the image.",)),
    ExitCode(221, "ContainerTensorflowOOMKilled", "TensorFlow ran out of memory", USER,
             "TensorFlow could not get the memory that it wanted.", (MORE_MEMORY, SMALLER)),
    ExitCode(222, "ContainerMPISegvFault", "segmentation fault in MPI", USER,
             "An MPI process accessed memory that is not mapped.", (LOG, CODE)),
    ExitCode(223, "ContainerCudaUncorrectableECCError", "GPU memory fault (ECC)", PLATFORM,
             "CUDA reported an uncorrectable memory error of the GPU.", (RETRY, ADMIN)),
    ExitCode(224, "ContainerCudaVersionMismatch", "CUDA is too new for the driver", USER,
             "The image's CUDA needs a newer driver than its node has.",
             ("Use an image with an older CUDA.", ADMIN)),
    ExitCode(225, "ContainerCudaDnnVersionMismatch", "cuDNN does not fit the framework", USER,
             "The deep learning framework and the cuDNN of the image do not fit together.",
             ("Use an image whose framework and cuDNN fit together.",)),
    ExitCode(226, "ContainerCudaOOMKilled", "out of GPU memory", USER,
             "The program asked for more GPU memory than there is.",
             (SMALLER, "Choose a GPU with more memory.")),
    ExitCode(228, "ContainerIncorrectParameterError", "wrong parameter", USER,
             "A parameter of the program or of a library call is wrong.", (LOG, "Correct the parameters.")),
    ExitCode(229, "ContainerIncorrectDataModelError", "wrong or missing data", USER,
             "A file that the program reads is missing, or of another format than expected.",
             (LOG, "Check the paths and formats of the data.")),
    ExitCode(230, "ContainerInvalidSavePath", "invalid save path", USER,
             "The path from which the model is restored is not valid.", ("Check the save path.",)),
    ExitCode(231, "ContainerSyntaxError", "error in the code", USER,
             "The code has a wrong syntax, or uses a name that does not exist.", (LOG, CODE)),
    ExitCode(232, "ContainerImportError", "import failed", USER,
             "A module that the code imports is missing or broken.",
             (LOG, "Add the module to the image.")),
    ExitCode(233, "ContainerIndexOutOfRange", "index out of range", USER,
             "The code reads an element beyond the end.", (LOG, CODE)),
    ExitCode(234, "ContainerSigvFault", "segmentation fault", USER,
             "The program accessed memory that is not its own.", (LOG, CODE)),
    ExitCode(235, "ContainerEngineCoreDump", "core dumped", USER,
             "The program crashed and left a core dump.", (LOG, CODE)),
    # The runtime
    ExitCode(249, "PAIRuntimeSSHBarrierTimeout", "its tasks could not reach each other by SSH", PLATFORM,
             "The tasks waited for each other's SSH until the limit.",
             ("Check that all task roles that need SSH have it switched on.",)),
    ExitCode(250, "FrameworkBarrierTransientFailed", "its tasks could not wait for each other", PLATFORM,
             "The barrier before the start failed with an error that may pass.", (RETRY, ADMIN)),
    ExitCode(251, "JobGangAllocationTimeout", "not enough free resources in time", RESOURCES,
             "The resources of all tasks together did not become free in time.",
             ("Use fewer tasks or less per task.", RETRY, "Ask for a larger quota of the virtual cluster.")),
    ExitCode(252, "FrameworkBarrierPermanentFailed", "its tasks could not wait for each other", PLATFORM,
             "The barrier before the start failed for good.", (ADMIN,)),
    ExitCode(253, "ContainerPortConflict", "its ports were taken", PLATFORM,
             "Ports that the job asked for are in use on the node.", (RETRY, "Ask for fewer ports.")),
    ExitCode(254, "ContainerImageNotExists", "image not found", USER,
             "The container image does not exist, or needs a login.",
             ("Check the image's name and the login for its registry.",)),
    ExitCode(255, "PAIRuntimeUnknownFailed", "its command failed", None,
             "The job's command ended with an error that the runtime does not recognise.", (LOG, RETRY)),
    # What the specification uses for codes that it does not list
    ExitCode(-8000, "ContainerUndefinedNegativeExitCode", "unknown error of the cluster", None,
             "The cluster gave an exit code that its specification does not list.", (ADMIN,)),
    ExitCode(256, "PAIRuntimeExitAbnormally", "the runtime ended abnormally", PLATFORM,
             "The runtime in the container ended with an exit code that it does not know.", (RETRY, ADMIN)),
)  # fmt: skip

BY_CODE = {entry.code: entry for entry in TABLE}
BY_PHRASE = {entry.phrase: entry for entry in TABLE}


IMAGE_MISSING = "ContainerImageNotExists"
UNRECOGNIZED = "ContainerUnrecognizedFailed"
"""The framework controller's phrase for any exit code that it has no pattern for: it says nothing."""

_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PREFIXES = ("Container", "PAI", "Runtime")
_ACRONYMS = frozenset(
    {
        "API",
        "CPU",
        "CUDA",
        "DNN",
        "DNS",
        "ECC",
        "GPU",
        "IO",
        "MPI",
        "NCCL",
        "NFS",
        "OOM",
        "PAI",
        "RDMA",
        "SSH",
    }
)


def explain(code: int | None, phrase: str) -> ExitCode | None:
    """What is known of an exit code, or None. Beside a phrase that is not ours the number says nothing."""
    if phrase and phrase != UNRECOGNIZED:
        return BY_PHRASE.get(phrase)
    return None if code is None else BY_CODE.get(code)


def words(phrase: str) -> str:
    """ "ContainerGpuTooHot" → "GPU too hot"; '' for a phrase that says nothing."""
    if phrase == UNRECOGNIZED:
        return ""
    found = _CAMEL_CASE.sub(" ", phrase).split()
    while len(found) > 1 and found[0] in _PREFIXES:
        del found[0]
    return " ".join(word.upper() if word.upper() in _ACRONYMS else word.lower() for word in found)
