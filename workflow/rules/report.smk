rule report_subjects:
    """Everything the stages wrote of a batch's subjects to one self-contained page each."""
    input:
        CLINICAL,
        reference_of,
        f"{RESULTS}/calls.tsv",
        f"{RESULTS}/specimens.tsv",
        f"{RESULTS}/arms.tsv",
        f"{RESULTS}/prepare/{{batch}}.tsv",
        f"{RESULTS}/prepare/{{batch}}.qc.tsv",
        f"{RESULTS}/laip/{{batch}}.tsv",
        f"{RESULTS}/laip/{{batch}}.limits.tsv",
        f"{RESULTS}/detect/{{batch}}.tsv",
        f"{RESULTS}/detect/{{batch}}.clusters.tsv",
    output:
        f"{RESULTS}/report/{{batch}}.tsv",
    log:
        f"{RESULTS}/logs/report/{{batch}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/{{batch}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory("report"),
        runtime=runtime("report"),
    params:
        options=OPTIONS,
        code=code_digest("report"),
        settings=settings_digest(SETTINGS, "report", "call", "endpoint"),
    shell:
        "mrd report {params.options} --batch {wildcards.batch} 2> {log}"


rule report_cohort:
    """All calls, limits and quality figures to the page of the cohort."""
    input:
        rules.endpoint.output,
        f"{RESULTS}/calls.tsv",
        f"{RESULTS}/specimens.tsv",
        f"{RESULTS}/qc.tsv",
        f"{RESULTS}/limits.tsv",
        expand(f"{RESULTS}/prepare/{{batch}}.tsv", batch=BATCHES),
        expand(f"{RESULTS}/laip/{{batch}}.tsv", batch=PATIENTS),
        expand(f"{RESULTS}/report/{{batch}}.tsv", batch=PATIENTS),
    output:
        f"{RESULTS}/report/index.html",
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory("whole"),
        runtime=runtime("whole"),
    params:
        options=OPTIONS,
        code=code_digest("report"),
        settings=digest_json(SETTINGS.model_dump()),
    shell:
        "mrd report {params.options} --cohort 2> {log}"
