rule call:
    """What was counted to one call per subject and visit; in a locked trial the locked calls stay and differences are told."""
    input:
        tubes=expand(f"{RESULTS}/prepare/{{batch}}.tsv", batch=PATIENTS),
        qc=expand(f"{RESULTS}/prepare/{{batch}}.qc.tsv", batch=BATCHES),
        laips=expand(f"{RESULTS}/laip/{{batch}}.tsv", batch=PATIENTS),
        limits=expand(
            f"{RESULTS}/{{stage}}/{{batch}}.limits.tsv",
            stage=["laip", "detect"],
            batch=PATIENTS,
        ),
        clusters=expand(f"{RESULTS}/detect/{{batch}}.clusters.tsv", batch=PATIENTS),
        burdens=expand(f"{RESULTS}/detect/{{batch}}.tsv", batch=PATIENTS),
    output:
        f"{RESULTS}/calls.tsv",
        f"{RESULTS}/specimens.tsv",
        f"{RESULTS}/arms.tsv",
        f"{RESULTS}/limits.tsv",
        f"{RESULTS}/clusters.tsv",
        f"{RESULTS}/qc.tsv",
        *shared_output(),
        f"{RESULTS}/differences.tsv",
    log:
        f"{RESULTS}/logs/call.log",
    benchmark:
        f"{RESULTS}/benchmarks/call.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory("whole"),
        runtime=runtime("whole"),
    params:
        options=OPTIONS,
        code=code_digest("call"),
        compare=code_digest("compare"),
        settings=settings_digest(SETTINGS, "laip", "call"),
        shared=frozen_shared_digest(),
    shell:
        "mrd call {params.options} --tubes {input.tubes} --qc {input.qc} --laips {input.laips}"
        " --limits {input.limits} --burdens {input.burdens} --clusters {input.clusters} 2> {log}"
        " && mrd compare {params.options} 2>> {log}"
