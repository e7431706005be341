"""Sentences for names that a model file may not use."""

from portal.scanner.allowed import Pair, show
from portal.scanner.report import Refusal

COMMANDS = {
    "os",
    "posix",
    "nt",
    "subprocess",
    "pty",
    "platform",
    "shutil",
    "commands",
    "_posixsubprocess",
    "multiprocessing",
}
CODE = {"builtins", "importlib", "runpy", "code", "codeop", "types", "marshal", "pickle", "_pickle", "ctypes", "sys"}
CODE |= {
    "operator",
    "_operator",
    "functools",
    "copyreg",
    "inspect",
    "dill",
    "cloudpickle",
    "joblib",
    "timeit",
    "pdb",
    "bdb",
}
NETWORK = {"socket", "urllib", "http", "requests", "webbrowser", "ftplib", "smtplib", "asyncio"}
FILES = {"io", "_io", "pathlib", "tempfile", "shelve", "glob", "fileinput", "linecache", "tarfile", "zipfile"}
OTHER_LIBRARIES = {"xgboost", "lightgbm", "catboost", "torch", "tensorflow", "keras", "imblearn", "statsmodels", "onnx"}
SCIENCE = {"sklearn", "numpy", "scipy"}

CUSTOM = (
    "If the model needs a function of your own, apply it to the data before the model, use one of numpy's functions, "
    "or move it into a package and ask the administrator to add that package (docs/models.md)."
)
PACKAGE = (
    "Ask the administrator to add the package to the image and the name to packages.toml (docs/models.md), or build "
    "the model from scikit-learn's own estimators."
)
BUILT_IN = "Build the model from scikit-learn's own estimators, save it again, and upload that file."
SEARCHED = "Save the estimator that the search found: search.best_estimator_, and upload that file."


def refuse_global(pair: Pair) -> Refusal:
    """Why this name is refused, by the library it comes from."""
    module, name = show(pair[0]), show(pair[1])
    room = module.split(".")[0]
    asked = f"It asks for {module}.{name}"
    if "." in name:
        return Refusal(
            f"{asked}, a part of a part of a module.",
            "Such a name can reach anything that a module has imported, so none is allowed.",
            BUILT_IN,
        )
    if module.startswith("scipy.stats"):
        why = (
            "A distribution that a random search drew from puts texts of the file together into code when it is loaded."
        )
        return Refusal(f"{asked}, which is not on the list of parts of fitted models.", why, SEARCHED)
    if room in SCIENCE:
        why = "It may be harmless, but it is not among the parts of fitted models that Portico has checked."
        return Refusal(f"{asked}, which is not on the list of parts of fitted models.", why, f"{BUILT_IN} {CUSTOM}")
    if room == "__main__":
        why = "It is defined in the script or notebook that fitted the model, and does not travel in the file."
        return Refusal(f"{asked}, which is code of your own.", why, CUSTOM)
    if room in OTHER_LIBRARIES:
        why = "Of other libraries Portico knows only the names that an administrator has put on its list."
        return Refusal(f"{asked}, which belongs to another library.", why, PACKAGE)
    if room == "pandas":
        why = "A part of a data frame was kept inside the model; loading it needs code that Portico has not checked."
        remedy = "Turn text columns into plain objects before fitting: frame.astype(object), or pass numpy arrays."
        return Refusal(f"{asked}, which is not a part of scikit-learn.", why, remedy)
    return Refusal(f"{asked}, which is not a part of scikit-learn.", explain_danger(room), CUSTOM)


def explain_danger(room: str) -> str:
    if room in COMMANDS:
        return "A file that does this can run commands on the machine that opens it."
    if room in CODE:
        return "A file that does this can run any code on the machine that opens it."
    if room in NETWORK:
        return "A file that does this can send what it finds to another machine."
    if room in FILES:
        return "A file that does this can read or change files on the machine that opens it."
    return "Portico cannot know what it does when the file is opened."
