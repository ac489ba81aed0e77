"""From the FCS files of a cohort to one MRD call per subject and visit, the endpoint dataset and the pages."""


configfile: f"{workflow.basedir}/workflow/config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/laip.smk"
include: "workflow/rules/detect.smk"
include: "workflow/rules/call.smk"
include: "workflow/rules/review.smk"
include: "workflow/rules/endpoint.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/manifest.smk"


rule all:
    input:
        f"{RESULTS}/calls.tsv",
        shared_output(),
        REVIEW,
        rules.endpoint.output,
        expand(f"{RESULTS}/report/{{batch}}.tsv", batch=PATIENTS),
        f"{RESULTS}/report/index.html",
        MANIFEST,


onstart:
    refuse_second()


onsuccess:
    tell_end()


onerror:
    tell_end()
