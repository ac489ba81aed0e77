rule laip:
    """Diagnosis tubes of a batch to LAIPs with cut, recall and cross-fitted blanks; its follow-ups searched beside each other."""
    input:
        reference_of,
        drawn_of,
        tubes=f"{RESULTS}/prepare/{{batch}}.tsv",
    output:
        laips=f"{RESULTS}/laip/{{batch}}.tsv",
        limits=f"{RESULTS}/laip/{{batch}}.limits.tsv",
    log:
        f"{RESULTS}/logs/laip/{{batch}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/laip/{{batch}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory("laip"),
        runtime=runtime("laip"),
        gpu=GPUS,
    params:
        options=OPTIONS,
        code=code_digest("laip"),
        settings=settings_digest(SETTINGS, "reference", "laip"),
    shell:
        "mrd laip {params.options} --batch {wildcards.batch} --tubes {input.tubes} 2> {log}"
